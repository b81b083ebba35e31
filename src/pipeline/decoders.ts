import { Codec } from 'node-av/lib';
import type { CodecParameters } from 'node-av/lib';

import { ServiceError } from '../errors.ts';

/**
 * The allowed decoders of FFmpeg: those for what phones, cameras, screen recorders and editors write into an MP4.
 * FFmpeg has some hundred more; the old ones are rarely used and rarely reviewed.
 */
const ALLOWED_DECODERS: readonly string[] = [
  'h264',
  'hevc',
  'libdav1d',
  'vp8',
  'vp9',
  'vvc',
  'mpeg4',
  'mpeg2video',
  'mpeg1video',
  'h263',
  'mjpeg',
  'prores',
  'dnxhd',
];

/** Returns the names of the allowed decoders for FFmpeg's option `codec_whitelist`. */
export function allowedDecoders(extra: readonly string[]): string {
  return [...ALLOWED_DECODERS, ...extra].join(',');
}

/** Returns the decoder for a track. Throws `invalid_video` if there is none, or none that is allowed. */
export function decoderFor(track: CodecParameters, extra: readonly string[]): Codec {
  const codec = Codec.findDecoder(track.codecId);
  const name = codec?.name ?? null;
  const tag = track.codecTagString ?? 'unnamed';
  if (codec === null || name === null) {
    throw new ServiceError('invalid_video', `The codec of the video track (${tag}) is not supported`);
  }
  if (ALLOWED_DECODERS.includes(name) || extra.includes(name)) return codec;
  throw new ServiceError(
    'invalid_video',
    `The codec of the video track (${name}, ${tag}) is not allowed; the setting EXTRA_DECODERS=${name} allows it`,
  );
}
