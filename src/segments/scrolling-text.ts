import { longestSharedRun, scrolledRun, type SharedRun } from './reading.ts';

/** Maximum length of an endless scrolling text. */
const MAX_LENGTH = 4000;
/** Shifts in one direction after which a text scrolls. */
const LEAST_SHIFTS = 3;
const LEAST_LENGTH = 12;
/** Characters of a window that are searched in the last one; the first may be cut. */
const HEAD = { from: 1, to: 6 };
/** Part of a window that is searched in the earlier text. */
const TAIL = 2;

/** Joins the windows of a scrolling text, such as a ticker. */
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

  /** Returns true if the reading may be the next window of the text. */
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

  /** Returns by how many characters the start of the reading was further to the right; undefined if unknown. */
  #headIn(reading: string): number | undefined {
    const at = this.#last.indexOf(reading.slice(HEAD.from, HEAD.to));
    return at === -1 ? undefined : at - HEAD.from;
  }

  /** The text has moved to the left: part of what preceded the shared run has left. */
  #shiftTo(reading: string): SharedRun | undefined {
    if (Math.min(reading.length, this.#last.length) < LEAST_LENGTH) return undefined;
    // Most readings have not moved, which is cheap to detect.
    if ((this.#headIn(reading) ?? 0) <= 0) return undefined;
    const run = scrolledRun(this.#last, reading);
    return run !== undefined && run.inFirst > run.inSecond ? run : undefined;
  }

  /** Letters at the edges of a window are cut, so the text after the shared run comes from the newer reading. */
  #append(reading: string): void {
    const from = Math.max(0, this.#whole.length - TAIL * Math.max(reading.length, this.#last.length));
    const run = longestSharedRun(this.#whole.slice(from), reading);
    if (run.length < LEAST_LENGTH / 2) return;
    const whole = this.#whole.slice(0, from + run.inFirst + run.length) + reading.slice(run.inSecond + run.length);
    if (whole.length <= MAX_LENGTH) this.#whole = whole;
  }
}
