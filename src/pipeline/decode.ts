import { DisplayConverter } from './display-frame.ts';
import type { Frame } from './frame.ts';
import { checkLimit, DEFAULT_VIDEO_LIMITS } from './limits.ts';
import type { VideoLimits } from './limits.ts';
import { readMp4Index } from './mp4-index.ts';
import { PresentationClock } from './presentation-clock.ts';
import { VideoDecoder } from './video-decoder.ts';
import { VideoInput } from './video-input.ts';

export interface DecodeOptions {
  /** Every n-th decoded frame is yielded, beginning with frame 0; default 1. */
  readonly frameStride?: number | undefined;
  /** Decoding ends when so many frames are yielded; default all. */
  readonly maxFrames?: number | undefined;
  /** Default `DEFAULT_VIDEO_LIMITS`. */
  readonly limits?: VideoLimits | undefined;
  /** Decoders of FFmpeg that are allowed beside the usual ones (`decoders.ts`), by FFmpeg's names; default none. */
  readonly extraDecoders?: readonly string[] | undefined;
  /** Called with the number of frames decoded so far after each of them, yielded or not. Must be cheap. */
  readonly onDecoded?: ((count: number) => void) | undefined;
}

export interface DecodeSummary {
  /** Frames that came out of the decoder, yielded or not. */
  readonly decodedFrames: number;
  readonly sampledFrames: number;
  /** How often the decoder reported damage that it passed over. */
  readonly damage: number;
}

/**
 * Decodes the video track of an MP4 file and yields every n-th frame in display order, as a player shows it. Blocks
 * its thread, by design: it belongs in a thread of a child process, because FFmpeg is at work on a stranger's bytes.
 * Each frame's `rgb` has a buffer of its own, which may be transferred. Ending the iteration early frees everything.
 *
 * Damage is passed over: whatever can be decoded is yielded, and `index` counts the frames that could be. Times are
 * those of the file's timeline, edit lists applied. Throws `ServiceError`: `input_missing`; `invalid_video` when
 * there is nothing to show; `too_large` when a limit is crossed, possibly after frames have been yielded.
 */
export function* decodeFrames(path: string, options: DecodeOptions = {}): Generator<Frame, DecodeSummary> {
  const {
    frameStride = 1,
    maxFrames = Infinity,
    limits = DEFAULT_VIDEO_LIMITS,
    extraDecoders = [],
    onDecoded,
  } = options;
  const index = readMp4Index(path, limits);
  using input = VideoInput.open(path, index, limits, extraDecoders);
  const { stream } = input;
  using decoder = VideoDecoder.open(stream, limits, extraDecoders);
  using converter = new DisplayConverter(stream, limits);
  const clock = new PresentationClock(stream.timeBase, stream.avgFrameRate);
  let startMs: number | undefined;
  let decodedFrames = 0;
  let sampledFrames = 0;
  for (const frame of decoder.frames(input.packets())) {
    const timestampMs = clock.next(frame.bestEffortTimestamp);
    startMs ??= timestampMs;
    if (decodedFrames === 0) converter.measure(frame);
    const isSampled = decodedFrames % frameStride === 0;
    decodedFrames += 1;
    checkLimit(limits, 'maxDecodedFrames', decodedFrames);
    checkLimit(limits, 'maxDurationMs', timestampMs - startMs);
    onDecoded?.(decodedFrames);
    if (!isSampled) continue;
    sampledFrames += 1;
    yield { index: decodedFrames - 1, timestampMs, ...converter.convert(frame) };
    if (sampledFrames >= maxFrames) break;
  }
  if (decodedFrames === 0) throw decoder.nothingDecoded();
  return { decodedFrames, sampledFrames, damage: decoder.damage };
}
