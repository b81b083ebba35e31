import { Decoder, Demuxer, Scaler } from 'node-av/api';
import { AV_LOG_ERROR } from 'node-av/constants';
import { Log } from 'node-av/lib';
import type { Picture } from './annotated-picture.ts';

/** Reads a picture file of any format of FFmpeg as RGB. */
export function readPicture(path: string): Picture {
  Log.setLevel(AV_LOG_ERROR);
  using demuxer = Demuxer.openSync(path);
  const video = demuxer.video();
  if (video === undefined) throw new Error(`${path} is no picture`);
  using decoder = Decoder.createSync(video);
  using scaler = new Scaler();
  for (const frame of decoder.framesSync(demuxer.packetsSync(video.index))) {
    if (frame === null) continue;
    const { width, height } = frame;
    return { width, height, rgb: new Uint8Array(scaler.toBufferSync(frame, { format: 'rgb' })) };
  }
  throw new Error(`${path} cannot be decoded`);
}
