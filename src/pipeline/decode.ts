import type { Packet } from 'node-av/lib';

import type { MediaFacts } from '../job.ts';
import { DisplayConverter } from './display-frame.ts';
import type { DisplayPicture } from './display-frame.ts';
import { packetTypesOf } from './packet-types.ts';
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
  /** Sample exactly the frames at these times, in place of every n-th. */
  readonly timesMs?: readonly number[] | undefined;
  /** Default `DEFAULT_VIDEO_LIMITS`. */
  readonly limits?: VideoLimits | undefined;
  /** Additional decoders (`decoders.ts`), by FFmpeg's names; default none. */
  readonly extraDecoders?: readonly string[] | undefined;
  /** Called with a number that grows with each read and decoded packet. Must be cheap. */
  readonly onProgress?: ((steps: number) => void) | undefined;
}

export interface DecodeSummary {
  /** Number of decoded frames, sampled or not. */
  readonly decodedFrames: number;
  readonly sampledFrames: number;
  /** Number of damages reported by the decoder and skipped. */
  readonly damage: number;
  readonly media: MediaFacts;
}

export interface SampledFrame {
  /** Index of the frame in display order, from 0. */
  readonly index: number;
  /** Presentation time in milliseconds. */
  readonly timestampMs: number;
  /** Undefined: the same as that of the previous sampled frame. */
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
 * its thread, so it belongs in a thread of a child process, where FFmpeg processes untrusted bytes. Each picture's
 * `rgb` has its own buffer, which may be transferred. Ending the iteration early frees everything.
 * Damage is skipped: every decodable frame is yielded and counted in `index`. Times are on the file's timeline with
 * edit lists applied. Throws `ServiceError`: `input_missing`; `invalid_video` if there is nothing to show; `too_large`
 * beyond a limit, possibly after frames have been yielded.
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
  const types = parts.sampler.isSparse ? packetTypesOf(track) : undefined;
  if (types === undefined) return { frames: () => everyFrame(parts), ...nothing };
  return new SparseFrames(parts, types);
}

function* counted(packets: Iterable<Packet>, onPacket: () => void): Generator<Packet, void> {
  for (const packet of packets) {
    onPacket();
    yield packet;
  }
}
