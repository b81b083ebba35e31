import { Frame } from 'node-av/lib';

import { ServiceError } from '../errors.ts';
import type { DecodeOptions } from './decode.ts';
import { DisplayConverter } from './display-frame.ts';
import type { DisplayPicture } from './display-frame.ts';
import { DEFAULT_VIDEO_LIMITS } from './limits.ts';
import { readMp4Index } from './mp4-index.ts';
import { PixelBudget } from './pixel-budget.ts';
import { PresentationClock } from './presentation-clock.ts';
import { throwIfMemoryRefused } from './refused-memory.ts';
import { VideoDecoder } from './video-decoder.ts';
import { VideoInput } from './video-input.ts';

/**
 * Milliseconds before the requested time at which decoding starts. A seek may end at a key frame shown after the
 * requested frame, because the index is in decoding order. Infinity: at the first frame.
 */
const LEADS_MS = [0, 1_000, 10_000, Infinity] as const;

export interface Still {
  readonly timestampMs: number;
  readonly picture: DisplayPicture;
}

/**
 * Decodes the frame that a player shows at `atMs`: the last one that is not later, or the first of the video. Costs the
 * frames since the previous key frame. Blocks its thread and throws like `decodeSamples`.
 */
export function decodeStill(
  path: string,
  atMs: number,
  options: Pick<DecodeOptions, 'limits' | 'extraDecoders' | 'onProgress'> = {},
): Still {
  const { limits = DEFAULT_VIDEO_LIMITS, extraDecoders = [], onProgress = () => {} } = options;
  const index = readMp4Index(path, limits);
  const budget = new PixelBudget(limits, index.fileBytes);
  using input = VideoInput.open(path, index, limits, extraDecoders);
  const { stream } = input;
  let steps = 0;
  const onPacket = (): void => onProgress((steps += 1));
  using decoder = VideoDecoder.open(stream, { limits, extraDecoders, budget, onPacket });
  using shown = new ShownFrame(atMs);
  for (const leadMs of LEADS_MS) {
    input.seek(atMs - leadMs);
    decoder.reset();
    const isFromStart = leadMs === Infinity;
    shown.find(framesOf(input, decoder), new PresentationClock(stream.timeBase, stream.avgFrameRate), isFromStart);
    if (shown.timestampMs === undefined) continue;
    using converter = new DisplayConverter(stream, limits);
    budget.convert(shown.frame.width * shown.frame.height);
    return { timestampMs: shown.timestampMs, picture: converter.convert(shown.frame) };
  }
  throw decoder.nothingDecoded();
}

/** Selects the last frame that is not later than a time. */
class ShownFrame implements Disposable {
  readonly frame = new Frame();
  readonly #atMs: number;
  /** Undefined until it is found. */
  timestampMs: number | undefined;

  constructor(atMs: number) {
    this.#atMs = atMs;
    this.frame.alloc();
  }

  /** @param isFirstTaken true: if every frame is later, select the first one */
  find(frames: Iterable<Frame>, clock: PresentationClock, isFirstTaken: boolean): void {
    for (const frame of frames) {
      const timestampMs = clock.next(frame.bestEffortTimestamp);
      const isLater = timestampMs > this.#atMs;
      if (!isLater || (isFirstTaken && this.timestampMs === undefined)) this.#keep(frame, timestampMs);
      if (isLater) return;
    }
  }

  #keep(frame: Frame, timestampMs: number): void {
    this.frame.unref();
    const code = this.frame.ref(frame);
    throwIfMemoryRefused(code);
    if (code < 0) throw new ServiceError('invalid_video', 'The frame cannot be kept');
    this.timestampMs = timestampMs;
  }

  [Symbol.dispose](): void {
    this.frame.free();
  }
}

function* framesOf(input: VideoInput, decoder: VideoDecoder): Generator<Frame, void> {
  for (const packet of input.packets()) {
    if (decoder.isFruitless) return;
    yield* decoder.decode(packet);
  }
  yield* decoder.drain();
}
