import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { RETRY_DELAYS } from './retry-delay.ts';
import { Worker, type WorkerOptions, type WorkerRefusal } from './worker.ts';

type WorkerState = NonNullable<ReturnType<Worker['snapshot']>>['value'];

export interface WorkersOptions extends WorkerOptions {
  /** Number of workers, which is jobs at once. */
  readonly count: number;
  readonly log: Log;
  /** Milliseconds until a worker that died so many times is replaced. */
  readonly restartAfter?: (deaths: number) => number;
}

/** All workers of the service. One that dies is replaced after a pause; the others go on. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #workers: Worker[];
  readonly #closing = new AbortController();
  #dead = 0;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.count }, () => new Worker(options));
  }

  /** Number of workers that died and are not replaced yet. */
  get dead(): number {
    return this.#dead;
  }

  /** The present state of each worker. */
  states(): readonly WorkerState[] {
    return this.#workers.map((worker) => worker.snapshot()?.value).filter((value) => value !== undefined);
  }

  /** Why workers wait, one entry for each that does. */
  refusals(): readonly WorkerRefusal[] {
    return this.#workers.map((worker) => worker.refusal()).filter((refusal) => refusal !== undefined);
  }

  /** Takes jobs as they come. Resolves after `drain` or `halt`, when none is in hand. Never rejects. */
  async run(): Promise<void> {
    await Promise.all(this.#workers.map((_, place) => this.#runAt(place)));
  }

  /** Take no further job; those in hand may finish. */
  drain(): void {
    this.#closing.abort();
    for (const worker of this.#workers) worker.drain();
  }

  /** Take no further job, and give those in hand back. */
  halt(): void {
    this.#closing.abort();
    for (const worker of this.#workers) worker.halt();
  }

  async #runAt(place: number): Promise<void> {
    const { log, restartAfter = (deaths) => RETRY_DELAYS.afterLosses(deaths + 1) } = this.#options;
    const { signal } = this.#closing;
    for (let deaths = 1; !signal.aborted; deaths += 1) {
      try {
        await this.#workers[place]?.runForever();
        return;
      } catch (error) {
        this.#dead += 1;
        log.fatal({ err: error }, 'a worker died; it is replaced after a pause');
        await delay(restartAfter(deaths), undefined, { signal }).catch(() => undefined);
        this.#dead -= 1;
        this.#workers[place] = new Worker(this.#options);
      }
    }
  }
}
