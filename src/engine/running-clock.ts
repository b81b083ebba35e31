/** A second is short enough to notice a stop, and costs nothing. */
const BEAT_MS = 1_000;

export interface RunningClockOptions {
  /** Milliseconds from any moment on, never going back. */
  readonly now?: () => number;
  /** Milliseconds between two looks at the time. */
  readonly beatMs?: number;
}

interface Timer {
  handle: NodeJS.Timeout;
}

/**
 * Measures time in which the process ran: a process that was stopped (SIGSTOP, a paused container, a sleeping machine)
 * finds that nothing went by. It counts in beats, and a beat that came late counts no more than twice its length. It
 * also has no longest time, as a timer of Node.js has. It is a clock for XState's actors.
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
        // A timer may come a fraction of a millisecond early.
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
