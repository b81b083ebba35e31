import { longestSharedRun, scrolledRun, type SharedRun } from './reading.ts';

/** Characters that are kept of a text that scrolls on and on. */
const MAX_LENGTH = 4000;
/** Shifts in one direction after which a text is taken to scroll. */
const LEAST_SHIFTS = 3;
const LEAST_LENGTH = 12;
/** Characters of a window that are looked for in the last one; the first may be cut. */
const HEAD = { from: 1, to: 6 };
/** Part of a window that is searched for in what was read before. */
const TAIL = 2;

/** Puts a text together that scrolls through a window, such as a ticker's. */
export class ScrollingText {
  #shifts = 0;
  #whole: string;
  #last: string;

  constructor(text: string) {
    this.#whole = text;
    this.#last = text;
  }

  get isScrolling(): boolean {
    return this.#shifts >= LEAST_SHIFTS;
  }

  get last(): string {
    return this.#last;
  }

  get text(): string {
    return this.#whole;
  }

  /** True when the reading may be the next window on the text. */
  isNext(reading: string): boolean {
    const run = reading === this.#last ? undefined : this.#shiftTo(reading);
    return run !== undefined && run.inSecond + run.length < reading.length;
  }

  follow(reading: string): void {
    if (reading === this.#last) return;
    const run = this.#shiftTo(reading);
    if (run !== undefined) {
      this.#shifts += 1;
      if (run.inSecond + run.length < reading.length) this.#append(reading);
    } else if (!this.isScrolling) {
      if (this.#headIn(reading) !== undefined) this.#shifts = 0;
      this.#whole = reading;
    }
    this.#last = reading;
  }

  /** By how many characters the reading's beginning stood further to the right; undefined when that cannot be told. */
  #headIn(reading: string): number | undefined {
    const at = this.#last.indexOf(reading.slice(HEAD.from, HEAD.to));
    return at === -1 ? undefined : at - HEAD.from;
  }

  /** The text has moved to the left: some of what stood before the shared run is gone. */
  #shiftTo(reading: string): SharedRun | undefined {
    if (Math.min(reading.length, this.#last.length) < LEAST_LENGTH) return undefined;
    // Most readings have not moved at all, which is soon seen.
    if ((this.#headIn(reading) ?? 0) <= 0) return undefined;
    const run = scrolledRun(this.#last, reading);
    return run !== undefined && run.inFirst > run.inSecond ? run : undefined;
  }

  /** The letters at the edges of a window are cut, so what follows the shared run is taken from the newer reading. */
  #append(reading: string): void {
    const from = Math.max(0, this.#whole.length - TAIL * Math.max(reading.length, this.#last.length));
    const run = longestSharedRun(this.#whole.slice(from), reading);
    if (run.length < LEAST_LENGTH / 2) return;
    const whole = this.#whole.slice(0, from + run.inFirst + run.length) + reading.slice(run.inSecond + run.length);
    if (whole.length <= MAX_LENGTH) this.#whole = whole;
  }
}
