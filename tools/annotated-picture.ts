import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decoder, Demuxer, Encoder } from 'node-av/api';
import { AV_LOG_ERROR, FF_ENCODER_MJPEG } from 'node-av/constants';
import { Log } from 'node-av/lib';
import type { FrameResult } from '../src/job.ts';
import { drawtext } from './drawtext.ts';

/** `rgb` has `width * height * 3` bytes. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

type Box = readonly [x: number, y: number, width: number, height: number];

const OBJECT_COLOR = 'lime';
const TEXT_COLOR = 'cyan';
/** Quality of the encoder: 2 is the best. */
const QUANTISER = '4';

/** Returns the picture as JPEG, with a box and a name around each detected object and each recognised line. */
export function annotatedJpeg(picture: Picture, { detections = [], lines = [] }: FrameResult['result']): Buffer {
  const { width, height, rgb } = picture;
  const folder = mkdtempSync(join(tmpdir(), 'annotated-'));
  try {
    const file = join(folder, 'frame.ppm');
    writeFileSync(file, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]));
    const filters = [
      ...lines.map(({ text, bbox }) => mark(bbox, text, TEXT_COLOR, height)),
      ...detections.map(({ label, confidence, bbox }) => mark(bbox, `${label} ${confidence}`, OBJECT_COLOR, height)),
    ];
    return jpegOf([`movie=${file}`, 'format=rgb24', ...filters, 'format=yuvj444p'].join(','));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function mark([left, top, width, height]: Box, name: string, color: string, pictureHeight: number): string {
  const thickness = Math.max(2, Math.round(pictureHeight / 240));
  const size = Math.max(12, Math.round(pictureHeight / 36));
  const room = size + 2 * Math.round(size / 4);
  const box = [left, top, width, height].map(Math.round).join(':');
  // Above the box, or inside it if there is no space.
  const at = { x: left + size / 4, y: top >= room ? top - room + size / 4 : top + thickness + size / 4 };
  const label = drawtext({ text: name, ...at, size, color: 'black', box: color }, 1);
  return `drawbox=${box}:color=${color}:t=${thickness},${label}`;
}

/** Returns the first picture of a graph of FFmpeg filters. */
function jpegOf(graph: string): Buffer {
  Log.setLevel(AV_LOG_ERROR);
  using source = Demuxer.openSync(graph, { format: 'lavfi' });
  const video = source.video();
  if (video === undefined) throw new Error('the graph has no video');
  using decoder = Decoder.createSync(video);
  using encoder = Encoder.createSync(FF_ENCODER_MJPEG, {
    decoder,
    configure: (context) => {
      for (const bound of ['qmin', 'qmax']) context.setOption(bound, QUANTISER);
    },
  });
  for (const packet of encoder.packetsSync(decoder.framesSync(source.packetsSync(video.index)))) {
    if (packet?.data) return Buffer.from(packet.data);
  }
  throw new Error('the picture cannot be encoded');
}
