import { AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import type { Frame, Packet } from 'node-av/lib';

import { ServiceError } from '../errors.ts';
import type { DecodedFrame, FrameSourceParts } from './frame-source.ts';
import type { Sampler } from './sampling.ts';

/** Maximum number of packets held back until it is known whether one of them is needed. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
const MAX_HELD_PACKETS = 4096;

/** Number of packets that decide whether each packet is one picture. */
const TRIAL_PACKETS = 8;

/** A packet that is held back, and the time of its picture. */
interface Held {
  readonly packet: Packet;
  readonly timestampMs: number;
}

/**
 * Decodes only what sampled frames need. The packets between two entry points are held back, and skipped if none of
 * their pictures is sampled; otherwise they are decoded up to the last sampled one. Index and time of every picture are
 * those of a full decode, because before an entry point each packet is one picture, shown before all that follow. If
 * that does not hold (a packet without a time, reordered pictures, distant entry points), everything is decoded up to
 * the next entry point.
 */
export class SparseFrames implements Disposable {
  readonly #parts: FrameSourceParts;
  readonly #isEntryPoint: (packet: Packet) => boolean;
  #held: Held[] = [];
  #heldBytes = 0;
  /** Number of pictures shown before the first one held. */
  #shown = 0;
  #lastShownMs = -Infinity;
  /** True if the decoder has packets that later ones may refer to, so that it cannot be skipped. */
  #isOpen = false;
  #isFirst = true;
  /** True if each packet was one picture so far. */
  #isExact = true;
  #hasEnded = false;

  constructor(parts: FrameSourceParts, isEntryPoint: (packet: Packet) => boolean) {
    this.#parts = parts;
    this.#isEntryPoint = isEntryPoint;
  }

  *frames(): Generator<DecodedFrame, void> {
    const { packets, decoder } = this.#parts;
    for (const packet of packets) {
      if (packet.size === 0) continue;
      if (decoder.isFruitless) return;
      if (this.#isEntryPoint(packet)) yield* this.#finish();
      if (this.#hasEnded) return;
      if (this.#isOpen) yield* this.#follow(packet);
      else if (!this.#hold(packet)) {
        yield* this.#release();
        yield* this.#follow(packet);
      }
      if (this.#hasEnded) return;
    }
    yield* this.#finish();
  }

  /** False if everything since the last entry point must be decoded. */
  #hold(packet: Packet): boolean {
    if (!this.#isExact) return false;
    const timestampMs = this.#parts.clock.timeOf(packet.pts);
    if (timestampMs === undefined || timestampMs <= this.#lastShownMs) return false;
    if (this.#held.length >= MAX_HELD_PACKETS || this.#heldBytes + packet.size > MAX_HELD_BYTES) return false;
    // Packets cut away by an edit list are decoded for others to refer to, and not shown.
    if (packet.hasFlags(AV_PKT_FLAG_DISCARD)) return false;
    const kept = packet.clone();
    if (kept === null) throw new ServiceError('memory_limit', 'Decoding this video needs more memory than is allowed');
    this.#held.push({ packet: kept, timestampMs });
    this.#heldBytes += packet.size;
    return true;
  }

  /** Starts to decode without looking ahead: first the held packets, then each packet as it arrives. */
  *#release(): Generator<DecodedFrame, void> {
    this.#isOpen = true;
    for (const { packet } of this.#held) {
      yield* this.#follow(packet);
      if (this.#hasEnded) break;
    }
    this.#letGo();
  }

  *#follow(packet: Packet): Generator<DecodedFrame, void> {
    for (const frame of this.#parts.decoder.decode(packet)) {
      yield* this.#show(frame);
      if (this.#hasEnded) return;
    }
  }

  /** Ends a stretch between two entry points, decoded or not. */
  *#finish(): Generator<DecodedFrame, void> {
    const { decoder } = this.#parts;
    if (this.#isOpen) {
      for (const frame of decoder.drain()) {
        yield* this.#show(frame);
        if (this.#hasEnded) return;
      }
      decoder.reset();
      this.#isOpen = false;
    } else if (this.#held.length > 0) yield* this.#plan();
  }

  *#plan(): Generator<DecodedFrame, void> {
    if (this.#isFirst && !this.#hasOnePictureAPacket()) {
      this.#isExact = false;
      yield* this.#release();
      yield* this.#finish();
      return;
    }
    const times = this.#held.map(({ timestampMs }) => timestampMs).toSorted((a, b) => a - b);
    const lastNeededMs =
      lastSampled(times, this.#shown, this.#parts.sampler.fork()) ?? (this.#isFirst ? times[0] : undefined);
    if (lastNeededMs === undefined) this.#passOver(times);
    else yield* this.#decodeUpTo(lastNeededMs, times);
    this.#letGo();
  }

  *#decodeUpTo(lastNeededMs: number, times: readonly number[]): Generator<DecodedFrame, void> {
    const { decoder } = this.#parts;
    const before = this.#shown;
    const end = this.#held.findLastIndex(({ timestampMs }) => timestampMs <= lastNeededMs) + 1;
    yield* this.#showUpTo(lastNeededMs, this.#decoded(end));
    if (this.#hasEnded) return;
    decoder.reset();
    const shown = this.#shown - before;
    const later = times.filter((timestampMs) => timestampMs > lastNeededMs);
    if (shown === times.length - later.length) {
      this.#passOver(later);
      return;
    }
    // After damage, only decoding everything shows which frames come out and are sampled.
    let place = 0;
    for (const frame of this.#decoded(this.#held.length)) {
      if (place >= shown) yield* this.#show(frame);
      if (this.#hasEnded) return;
      place += 1;
    }
    decoder.reset();
  }

  /** Takes all frames, because FFmpeg's HEVC decoder would return the remaining ones after a reset. */
  *#showUpTo(lastMs: number, frames: Iterable<Frame>): Generator<DecodedFrame, void> {
    const { clock } = this.#parts;
    for (const frame of frames) {
      const timestampMs = clock.timeOf(frame.bestEffortTimestamp);
      if (timestampMs !== undefined && timestampMs > lastMs) continue;
      yield* this.#show(frame);
      if (this.#hasEnded) return;
    }
  }

  /** Returns the frames of the first held packets in display order. */
  *#decoded(end: number): Generator<Frame, void> {
    const { decoder } = this.#parts;
    for (const { packet } of this.#held.slice(0, end)) yield* decoder.decode(packet);
    yield* decoder.drain();
  }

  /** Fields of interlaced video may have a packet each; then packets do not count pictures. */
  #hasOnePictureAPacket(): boolean {
    const packets = Math.min(TRIAL_PACKETS, this.#held.length);
    let pictures = 0;
    for (const _ of this.#decoded(packets)) pictures += 1;
    this.#parts.decoder.reset();
    return pictures === packets;
  }

  /** Counts pictures that are not decoded. */
  #passOver(times: readonly number[]): void {
    const { sampler } = this.#parts;
    for (const timestampMs of times) {
      if (sampler.next(this.#shown, timestampMs) === 'beyond') this.#hasEnded = true;
      this.#shown += 1;
      this.#lastShownMs = Math.max(this.#lastShownMs, timestampMs);
    }
  }

  *#show(frame: Frame): Generator<DecodedFrame, void> {
    const { clock, sampler } = this.#parts;
    const timestampMs = clock.next(frame.bestEffortTimestamp);
    const index = this.#shown;
    const choice = sampler.next(index, timestampMs);
    if (choice === 'beyond' && !this.#isFirst) {
      this.#hasEnded = true;
      return;
    }
    this.#isFirst = false;
    this.#shown += 1;
    this.#lastShownMs = Math.max(this.#lastShownMs, timestampMs);
    yield { frame, index, timestampMs, isSampled: choice === 'sampled' };
  }

  #letGo(): void {
    for (const { packet } of this.#held) packet.free();
    this.#held = [];
    this.#heldBytes = 0;
  }

  [Symbol.dispose](): void {
    this.#letGo();
  }
}

/** Returns the time of the last sampled frame among `times`; undefined if none is sampled. */
function lastSampled(times: readonly number[], count: number, sampler: Sampler): number | undefined {
  let last: number | undefined;
  times.forEach((timestampMs, place) => {
    if (sampler.next(count + place, timestampMs) === 'sampled') last = timestampMs;
  });
  return last;
}
