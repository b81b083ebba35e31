import { ServiceError } from '../errors.ts';
import { memoryLimitError } from './child-errors.ts';
import type { ChildHandle } from './child-handle.ts';
import { processorTimeOf, usedMemoryOf, type ProcessorTime } from './process-status.ts';

/** How often the clock and the memory are looked at. A child can take some hundred MiB between two looks. */
const LOOK_EVERY_MS = 100;
/** A child that waits for a processor is counted when it gets one, which may take a second. */
const LOOKS_PER_MEASUREMENT = 30;
/** A child that died with more than this part of its allowance in use most probably died of that. */
const NEAR_LIMIT = 0.9;

export interface WatchOptions {
  readonly child: ChildHandle;
  readonly memoryBytes: number;
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Watches a child during one job and kills it as soon as the job is given up: aborted, stalled, or too hungry. */
export class Watch implements Disposable {
  readonly #options: WatchOptions;
  readonly #gaveUp: Promise<never>;
  #reject: (reason: unknown) => void = () => {};
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#giveUp(this.#options.signal?.reason);
  #waiting = false;
  /** Counted in looks, not by the clock: when the service itself was stopped for a while, its child is not to blame. */
  #stalledMs = 0;
  #decoded = 0;
  #nearLimit = false;
  #looks = 0;
  #time: ProcessorTime = { ran: 0, waited: 0 };
  #granted = 1;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#gaveUp = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
    // It may happen while no response is awaited.
    this.#gaveUp.catch(() => {});
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The child was last seen with most of its allowed memory in use. */
  get nearLimit(): boolean {
    return this.#nearLimit;
  }

  /** Waits for an answer of the child, with the stall clock running. Rejects at once when the job is given up. */
  async during<T>(answer: Promise<T>): Promise<T> {
    this.#waiting = true;
    try {
      return await Promise.race([this.#gaveUp, answer]);
    } finally {
      this.#waiting = false;
    }
  }

  /** Sets the stall clock back if the child has come further. */
  note(decoded: number, results: number): void {
    if (decoded > this.#decoded || results > 0) this.#stalledMs = 0;
    this.#decoded = decoded;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  #look(): void {
    const { child, memoryBytes, stallTimeoutMs } = this.#options;
    const used = usedMemoryOf(child.pid);
    this.#nearLimit = used > memoryBytes * NEAR_LIMIT;
    if (used > memoryBytes) {
      this.#giveUp(memoryLimitError());
      return;
    }
    if (this.#waiting) this.#stalledMs += LOOK_EVERY_MS * this.#partGranted();
    if (this.#stalledMs > stallTimeoutMs) {
      const framesDecoded = this.#decoded;
      const message = `the analysis came no further for ${stallTimeoutMs} ms, with ${framesDecoded} frames decoded`;
      this.#giveUp(new ServiceError('stalled', message, { retryable: true, framesDecoded }));
    }
  }

  /**
   * The part of the time in which the child had the processors that it wanted: on a machine that is busy elsewhere a
   * child comes on slowly, and is not to blame. 1 for one that sleeps or is stopped.
   */
  #partGranted(): number {
    this.#looks += 1;
    if (this.#looks % LOOKS_PER_MEASUREMENT === 1) {
      const now = processorTimeOf(this.#options.child.pid);
      const ran = Math.max(0, now.ran - this.#time.ran);
      const waited = Math.max(0, now.waited - this.#time.waited);
      this.#granted = ran + waited === 0 ? 1 : ran / (ran + waited);
      this.#time = now;
    }
    return this.#granted;
  }

  #giveUp(reason: unknown): void {
    clearInterval(this.#timer);
    this.#reject(reason);
    void this.#options.child.kill();
  }
}
