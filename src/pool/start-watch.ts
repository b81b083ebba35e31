import type { Log } from '../log.ts';
import { workDoneBy } from './process-status.ts';

const LOOK_EVERY_MS = 1000;
const LOOKS_PER_WARNING = 30;

export interface StartWatchOptions {
  readonly pid: number;
  /** Milliseconds without progress after which the start is aborted. */
  readonly idleMs: number;
  readonly log: Log;
  readonly onStall: () => void;
}

/**
 * Watches a starting child. There is no limit on the total time, because a slow machine is not an error. The start is
 * aborted if the process has neither used the processor nor new memory for a while.
 */
export class StartWatch implements Disposable {
  readonly #options: StartWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #looks = 0;
  #work = 0;
  /** Counted in polls, not by the clock, because the service itself may have been stopped. */
  #idleMs = 0;

  constructor(options: StartWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_EVERY_MS, options.idleMs));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { pid, idleMs, log, onStall } = this.#options;
    const work = workDoneBy(pid);
    this.#idleMs = work > this.#work ? 0 : this.#idleMs + LOOK_EVERY_MS;
    this.#work = work;
    this.#looks += 1;
    if (this.#looks % LOOKS_PER_WARNING === 0) {
      log.warn({ pid, seconds: (this.#looks * LOOK_EVERY_MS) / 1000 }, 'a child takes long to start');
    }
    if (this.#idleMs < idleMs) return;
    clearInterval(this.#timer);
    onStall();
  }
}
