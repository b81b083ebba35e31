import { createHash } from 'node:crypto';

/** Pseudo-random numbers, the same for the same name on every machine. */
export class Random {
  #state: number;

  private constructor(state: number) {
    this.#state = state;
  }

  static of(name: string): Random {
    return new Random(createHash('sha256').update(name).digest().readUInt32LE());
  }

  /** Returns an integer from 0 to below `limit`, which is at most 2^32. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  /** Returns true in this share of all cases, such as 0.25. */
  chance(part: number): boolean {
    return this.#next() < part * 2 ** 32;
  }

  /** Returns one of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, sufficient for choosing bytes. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
