import type { Packet } from 'node-av/lib';

import type { MediaFacts } from '../job.ts';
import { DisplayConverter } from './display-frame.ts';
import type { DisplayPicture } from './display-frame.ts';
import { entryPointsOf } from './entry-points.ts';
import type { Frame } from './frame.ts';
import { everyFrame } from './frame-source.ts';
import type { DecodedFrame, FrameSourceParts } from './frame-source.ts';
import { keyFrames } from './key-frames.ts';
import { checkLimit, DEFAULT_VIDEO_LIMITS } from './limits.ts';
import type { VideoLimits } from './limits.ts';
import { readMp4Index } from './mp4-index.ts';
import { PixelBudget } from './pixel-budget.ts';
import { PresentationClock } from './presentation-clock.ts';
import { SampleFingerprint } from './sample-fingerprint.ts';
import { Sampler, samplingSchema } from './sampling.ts';
import type { Sampling } from './sampling.ts';
import { SparseFrames } from './sparse-frames.ts';
import { VideoDecoder } from './video-decoder.ts';
import { VideoInput } from './video-input.ts';

export interface DecodeOptions extends Partial<Sampling> {
  /** Only the frames shown at these very times are sampled, in place of every n-th. */
  readonly timesMs?: readonly number[] | undefined;
  /** Default `DEFAULT_VIDEO_LIMITS`. */
  readonly limits?: VideoLimits | undefined;
  /** Decoders of FFmpeg that are allowed beside the usual ones (`decoders.ts`), by FFmpeg's names; default none. */
  readonly extraDecoders?: readonly string[] | undefined;
  /** Called with a number that rises with each packet that is read and each that is decoded. Must be cheap. */
  readonly onProgress?: ((steps: number) => void) | undefined;
}

export interface DecodeSummary {
  /** Frames that came out of the decoder, sampled or not. */
  readonly decodedFrames: number;
  readonly sampledFrames: number;
  /** How often the decoder reported damage that it passed over. */
  readonly damage: number;
  readonly media: MediaFacts;
}

export interface SampledFrame {
  /** Number of the frame among all of the video in display order, from 0. */
  readonly index: number;
  /** Presentation time in milliseconds. */
  readonly timestampMs: number;
  /** Undefined: the very same as that of the sampled frame before. */
  readonly picture: DisplayPicture | undefined;
}

/** Like {@link decodeSamples}, with a picture for each frame. */
export function* decodeFrames(path: string, options: DecodeOptions = {}): Generator<Frame, DecodeSummary> {
  const samples = decodeSamples(path, { ...options, convertRepeats: true });
  for (;;) {
    const next = samples.next();
    if (next.done === true) return next.value;
    const { index, timestampMs, picture } = next.value;
    if (picture !== undefined) yield { index, timestampMs, ...picture };
  }
}

/**
 * Decodes the video track of an MP4 file and yields the sampled frames in display order, as a player shows them. Blocks
 * its thread, by design: it belongs in a thread of a child process, because FFmpeg is at work on a stranger's bytes.
 * Each picture's `rgb` has a buffer of its own, which may be transferred. Ending the iteration early frees everything.
 *
 * Damage is skipped: every frame that can be decoded is yielded, and `index` counts the frames that could be. Times are
 * those of the file's timeline, edit lists applied. Throws `ServiceError`: `input_missing`; `invalid_video` when
 * there is nothing to show; `too_large` when a limit is crossed, possibly after frames have been yielded.
 */
export function* decodeSamples(
  path: string,
  options: DecodeOptions & { readonly convertRepeats: boolean },
): Generator<SampledFrame, DecodeSummary> {
  const { limits = DEFAULT_VIDEO_LIMITS, extraDecoders = [], onProgress = () => {}, convertRepeats } = options;
  const sampling = samplingSchema.parse(options);
  const { maxFrames = Infinity } = sampling;
  const index = readMp4Index(path, limits);
  const budget = new PixelBudget(limits, index.fileBytes);
  using input = VideoInput.open(path, index, limits, extraDecoders);
  const { stream } = input;
  let steps = 0;
  const onStep = (): void => onProgress((steps += 1));
  using decoder = VideoDecoder.open(stream, { limits, extraDecoders, budget, onPacket: onStep });
  using converter = new DisplayConverter(stream, limits);
  const fingerprint = new SampleFingerprint();
  using source = openSource(sampling, {
    packets: counted(input.packets(), onStep),
    decoder,
    clock: new PresentationClock(stream.timeBase, stream.avgFrameRate),
    sampler: new Sampler(sampling, options.timesMs),
    track: stream.codecpar,
  });
  let startMs: number | undefined;
  let previous: string | undefined;
  let decodedFrames = 0;
  let sampledFrames = 0;
  for (const { frame, index: place, timestampMs, isSampled } of source.frames()) {
    startMs ??= timestampMs;
    if (decodedFrames === 0) converter.measure(frame);
    decodedFrames += 1;
    checkLimit(limits, 'maxDecodedFrames', decodedFrames);
    checkLimit(limits, 'maxDurationMs', timestampMs - startMs);
    if (!isSampled) continue;
    sampledFrames += 1;
    const look = convertRepeats ? undefined : fingerprint.of(frame);
    const isRepeat = look !== undefined && look === previous;
    previous = look;
    if (!isRepeat) budget.convert(frame.width * frame.height);
    yield { index: place, timestampMs, picture: isRepeat ? undefined : converter.convert(frame) };
    if (sampledFrames >= maxFrames) break;
  }
  if (decodedFrames === 0) throw decoder.nothingDecoded();
  const media = {
    width: converter.shown?.width ?? null,
    height: converter.shown?.height ?? null,
    ...input.facts(),
    codec: decoder.codecName,
    frames_decoded: decodedFrames,
    frames_analysed: sampledFrames,
  };
  return { decodedFrames, sampledFrames, damage: decoder.damage, media };
}

interface FrameSource extends Disposable {
  frames(): Iterable<DecodedFrame>;
}

function openSource(
  { keyframesOnly }: Sampling,
  { track, ...parts }: FrameSourceParts & { readonly track: VideoInput['stream']['codecpar'] },
): FrameSource {
  const nothing = { [Symbol.dispose]: () => {} };
  if (keyframesOnly) return { frames: () => keyFrames(parts), ...nothing };
  const isEntryPoint = parts.sampler.isSparse ? entryPointsOf(track) : undefined;
  if (isEntryPoint === undefined) return { frames: () => everyFrame(parts), ...nothing };
  return new SparseFrames(parts, isEntryPoint);
}

function* counted(packets: Iterable<Packet>, onPacket: () => void): Generator<Packet, void> {
  for (const packet of packets) {
    onPacket();
    yield packet;
  }
}
