import type { Frame, Packet } from 'node-av/lib';

import type { PresentationClock } from './presentation-clock.ts';
import type { Sampler } from './sampling.ts';
import type { VideoDecoder } from './video-decoder.ts';

/** A decoded frame. */
export interface DecodedFrame {
  /** Valid until the next one is taken. */
  readonly frame: Frame;
  /** Its index among all frames of the video in display order, from 0, decoded or not. */
  readonly index: number;
  readonly timestampMs: number;
  readonly isSampled: boolean;
}

export interface FrameSourceParts {
  readonly packets: Iterable<Packet>;
  readonly decoder: VideoDecoder;
  readonly clock: PresentationClock;
  readonly sampler: Sampler;
}

/** Decodes everything up to the last frame that can be sampled. */
export function* everyFrame({ packets, decoder, clock, sampler }: FrameSourceParts): Generator<DecodedFrame, void> {
  let index = 0;
  for (const frame of allFrames(packets, decoder)) {
    const timestampMs = clock.next(frame.bestEffortTimestamp);
    const choice = sampler.next(index, timestampMs);
    // The first frame has the properties of the video, even if it is not sampled.
    if (choice === 'beyond' && index > 0) return;
    yield { frame, index, timestampMs, isSampled: choice === 'sampled' };
    index += 1;
  }
}

function* allFrames(packets: Iterable<Packet>, decoder: VideoDecoder): Generator<Frame, void> {
  for (const packet of packets) {
    if (decoder.isFruitless) return;
    yield* decoder.decode(packet);
  }
  yield* decoder.drain();
}
