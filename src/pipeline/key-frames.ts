import { AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import type { Packet } from 'node-av/lib';

import { ServiceError } from '../errors.ts';
import type { DecodedFrame, FrameSourceParts } from './frame-source.ts';

/** A key frame that waits until the number of pictures before it is known. */
interface WaitingKey {
  readonly packet: Packet;
  readonly timestampMs: number;
  /** Number of pictures shown before it, as far as known. */
  index: number;
}

/**
 * Decodes only key frames. Pictures after a key frame in the file may be shown before it, so its index is known only at
 * the next one. Every packet outside of edits counts as one picture.
 */
export function* keyFrames({ packets, decoder, clock, sampler }: FrameSourceParts): Generator<DecodedFrame, void> {
  let pictures = 0;
  let keys = 0;
  let waiting: WaitingKey | undefined;

  function* decoded({ packet, timestampMs, index }: WaitingKey): Generator<DecodedFrame, boolean> {
    const choice = sampler.next(keys, timestampMs);
    const isFirst = keys === 0;
    keys += 1;
    try {
      if (choice === 'sampled' || isFirst) {
        for (const frame of decoder.decode(packet))
          yield { frame, index, timestampMs, isSampled: choice === 'sampled' };
        for (const frame of decoder.drain()) yield { frame, index, timestampMs, isSampled: choice === 'sampled' };
        decoder.reset();
      }
    } finally {
      packet.free();
    }
    return choice !== 'beyond' || isFirst;
  }

  try {
    for (const packet of packets) {
      if (packet.size === 0 || packet.hasFlags(AV_PKT_FLAG_DISCARD)) continue;
      if (decoder.isFruitless) return;
      const timestampMs = clock.timeOf(packet.pts);
      if (packet.isKeyframe) {
        const before = waiting;
        waiting = undefined;
        if (before !== undefined && !(yield* decoded(before))) return;
        const kept = packet.clone();
        if (kept === null)
          throw new ServiceError('memory_limit', 'Decoding this video needs more memory than is allowed');
        waiting = { packet: kept, timestampMs: clock.next(packet.pts), index: pictures };
      } else if (waiting !== undefined && timestampMs !== undefined && timestampMs < waiting.timestampMs) {
        waiting.index += 1;
      }
      pictures += 1;
    }
    const last = waiting;
    waiting = undefined;
    if (last !== undefined) yield* decoded(last);
  } finally {
    waiting?.packet.free();
  }
}
