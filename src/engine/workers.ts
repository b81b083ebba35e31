import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { RETRY_DELAYS } from './retry-delay.ts';
import { Worker, type WorkerOptions, type WorkerRefusal } from './worker.ts';

type WorkerState = NonNullable<ReturnType<Worker['snapshot']>>['value'];

export interface WorkersOptions extends WorkerOptions {
  /** Number of workers, which is the number of concurrent jobs. */
  readonly count: number;
  readonly log: Log;
  /** Milliseconds until a worker is replaced after this many deaths. */
  readonly restartAfter?: (deaths: number) => number;
}

/** All workers of the service. A dead worker is replaced after a pause; the others continue. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #workers: Worker[];
  readonly #closing = new AbortController();
  #dead = 0;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.count }, () => new Worker(options));
  }

  /** Number of dead workers that are not replaced yet. */
  get dead(): number {
    return this.#dead;
  }

  /** Current state of each worker. */
  states(): readonly WorkerState[] {
    return this.#workers.map((worker) => worker.snapshot()?.value).filter((value) => value !== undefined);
  }

  /** Why workers wait, one entry per waiting worker. */
  refusals(): readonly WorkerRefusal[] {
    return this.#workers.map((worker) => worker.refusal()).filter((refusal) => refusal !== undefined);
  }

  /** Takes jobs until `drain` or `halt`. Resolves when no job is left. Never rejects. */
  async run(): Promise<void> {
    await Promise.all(this.#workers.map((_, place) => this.#runAt(place)));
  }

  /** Takes no more jobs; the current ones can finish. */
  drain(): void {
    this.#closing.abort();
    for (const worker of this.#workers) worker.drain();
  }

  /** Takes no more jobs and gives the current ones back. */
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
