import { AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import type { Frame, Packet } from 'node-av/lib';

import { ServiceError } from '../errors.ts';
import type { DecodedFrame, FrameSourceParts } from './frame-source.ts';
import type { PacketTypes } from './packet-types.ts';
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
 * their pictures is sampled; otherwise they are decoded up to the last sampled one, without the pictures in between
 * that no other refers to. Index and time of every picture are those of a full decode, because before an entry point
 * each packet is one picture, shown before all that follow. If that does not hold (a packet without a time, reordered
 * pictures, distant entry points), everything is decoded up to the next entry point.
 */
export class SparseFrames implements Disposable {
  readonly #parts: FrameSourceParts;
  readonly #types: PacketTypes;
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

  constructor(parts: FrameSourceParts, types: PacketTypes) {
    this.#parts = parts;
    this.#types = types;
  }

  *frames(): Generator<DecodedFrame, void> {
    const { packets, decoder } = this.#parts;
    for (const packet of packets) {
      if (packet.size === 0) continue;
      if (decoder.isFruitless) return;
      if (this.#types.isEntryPoint(packet)) yield* this.#finish();
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
    const sampled = sampledTimes(times, this.#shown, this.#parts.sampler.fork());
    const needed = sampled.length === 0 && this.#isFirst ? times.slice(0, 1) : sampled;
    if (needed.length === 0) this.#passOver(times);
    else yield* this.#decodeOnly(needed, times);
    this.#letGo();
  }

  /** Decodes what is needed for the pictures at these times; both lists in display order. */
  *#decodeOnly(needed: readonly number[], times: readonly number[]): Generator<DecodedFrame, void> {
    const { decoder } = this.#parts;
    const before = this.#shown;
    const lastMs = needed.at(-1) ?? -Infinity;
    const end = this.#held.findLastIndex(({ timestampMs }) => timestampMs <= lastMs) + 1;
    const wanted = new Set(needed);
    const idle = new Set<Held>();
    for (const held of this.#held.slice(0, end)) {
      if (!wanted.has(held.timestampMs) && this.#types.isUnreferenced(held.packet)) idle.add(held);
    }
    const others = this.#held.slice(0, end).filter((held) => !idle.has(held));
    const idleTimes = [...idle].map(({ timestampMs }) => timestampMs).toSorted((a, b) => a - b);
    yield* this.#showUpTo(lastMs, this.#decoded(others), idleTimes);
    if (this.#hasEnded) return;
    decoder.reset();
    const shown = this.#shown - before;
    const later = times.filter((timestampMs) => timestampMs > lastMs);
    if (shown === times.length - later.length) {
      this.#passOver(later);
      return;
    }
    // After damage, only decoding everything shows which frames come out and are sampled.
    let place = 0;
    for (const frame of this.#decoded(this.#held)) {
      if (place >= shown) yield* this.#show(frame);
      if (this.#hasEnded) return;
      place += 1;
    }
    decoder.reset();
  }

  /**
   * Shows the frames up to a time, and counts the pictures at `idleTimes`, which are not decoded. Takes all frames,
   * because FFmpeg's HEVC decoder would return the remaining ones after a reset.
   */
  *#showUpTo(lastMs: number, frames: Iterable<Frame>, idleTimes: readonly number[]): Generator<DecodedFrame, void> {
    const { clock } = this.#parts;
    let counted = 0;
    for (const frame of frames) {
      const timestampMs = clock.timeOf(frame.bestEffortTimestamp);
      if (timestampMs !== undefined && timestampMs > lastMs) continue;
      const idle = idleTimes.slice(counted).filter((ms) => ms < (timestampMs ?? -Infinity));
      this.#passOver(idle);
      counted += idle.length;
      yield* this.#show(frame);
      if (this.#hasEnded) return;
    }
  }

  /** Returns the frames of some held packets in display order. */
  *#decoded(held: readonly Held[]): Generator<Frame, void> {
    const { decoder } = this.#parts;
    for (const { packet } of held) yield* decoder.decode(packet);
    yield* decoder.drain();
  }

  /** Fields of interlaced video may have a packet each; then packets do not count pictures. */
  #hasOnePictureAPacket(): boolean {
    const packets = Math.min(TRIAL_PACKETS, this.#held.length);
    let pictures = 0;
    for (const _ of this.#decoded(this.#held.slice(0, packets))) pictures += 1;
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

/** Returns the times of the sampled frames among `times`. */
function sampledTimes(times: readonly number[], count: number, sampler: Sampler): readonly number[] {
  return times.filter((timestampMs, place) => sampler.next(count + place, timestampMs) === 'sampled');
}
