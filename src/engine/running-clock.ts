/** One second notices a stop soon enough and costs nothing. */
const BEAT_MS = 1_000;

export interface RunningClockOptions {
  /** Monotonic milliseconds from an arbitrary start. */
  readonly now?: () => number;
  /** Milliseconds between beats. */
  readonly beatMs?: number;
}

interface Timer {
  handle: NodeJS.Timeout;
}

/**
 * Measures the time in which the process ran. A stop (SIGSTOP, a paused container, a sleeping machine) does not count:
 * the clock advances in beats, and a late beat counts at most twice its length. Unlike a Node.js timer it has no
 * maximum. A clock for XState actors.
 */
export class RunningClock {
  readonly #now: () => number;
  readonly #beatMs: number;

  constructor({ now = () => performance.now(), beatMs = BEAT_MS }: RunningClockOptions = {}) {
    this.#now = now;
    this.#beatMs = beatMs;
  }

  setTimeout(work: () => void, ms: number): Timer {
    let leftMs = ms;
    const beat = (): NodeJS.Timeout => {
      const beganMs = this.#now();
      const lengthMs = Math.min(leftMs, this.#beatMs);
      return setTimeout(() => {
        leftMs -= Math.min(this.#now() - beganMs, 2 * lengthMs);
        // A timer may fire a fraction of a millisecond early.
        if (leftMs < 1) work();
        else timer.handle = beat();
      }, lengthMs);
    };
    const timer: Timer = { handle: beat() };
    return timer;
  }

  clearTimeout(timer: Timer): void {
    clearTimeout(timer.handle);
  }
}
