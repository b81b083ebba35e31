import { ServiceError } from '../errors.ts';
import { memoryLimitError } from './child-errors.ts';
import type { ChildHandle } from './child-handle.ts';
import { processorTimeOf, usedMemoryOf, type ProcessorTime } from './process-status.ts';

/** Milliseconds between polls of clock and memory. A child can allocate some hundred MiB between two polls. */
const LOOK_EVERY_MS = 100;
/** The kernel counts waiting time when the thread gets a processor, which may take a second. */
const LOOKS_PER_MEASUREMENT = 30;
/** A child that died with more than this share of its memory in use most probably died of that. */
const NEAR_LIMIT = 0.9;

export interface WatchOptions {
  readonly child: ChildHandle;
  readonly memoryBytes: number;
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Watches a child during one job and kills it when the job is aborted, stalls, or exceeds its memory. */
export class Watch implements Disposable {
  readonly #options: WatchOptions;
  readonly #ended: Promise<never>;
  #reject: (reason: unknown) => void = () => {};
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#end(this.#options.signal?.reason);
  #waiting = false;
  /** Counted in polls, not by the clock, because the service itself may have been stopped. */
  #stalledMs = 0;
  #decoded = 0;
  #nearLimit = false;
  #looks = 0;
  #time: ProcessorTime = { ran: 0, waited: 0 };
  #granted = 1;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#ended = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
    // It may reject while no response is awaited.
    this.#ended.catch(() => {});
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** True if the child last used most of its allowed memory. */
  get nearLimit(): boolean {
    return this.#nearLimit;
  }

  /** Waits for a response of the child while the stall clock runs. Rejects at once when the job ends. */
  async during<T>(answer: Promise<T>): Promise<T> {
    this.#waiting = true;
    try {
      return await Promise.race([this.#ended, answer]);
    } finally {
      this.#waiting = false;
    }
  }

  /** Resets the stall clock if the child has made progress. */
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
      this.#end(memoryLimitError());
      return;
    }
    if (this.#waiting) this.#stalledMs += LOOK_EVERY_MS * this.#partGranted();
    if (this.#stalledMs > stallTimeoutMs) {
      const framesDecoded = this.#decoded;
      const message = `the analysis came no further for ${stallTimeoutMs} ms, with ${framesDecoded} frames decoded`;
      this.#end(new ServiceError('stalled', message, { retryable: true, framesDecoded }));
    }
  }

  /**
   * Returns the share of the time in which the child had the processors it wanted, because on a busy machine a slow
   * child is not at fault. 1 for a child that sleeps or is stopped.
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

  #end(reason: unknown): void {
    clearInterval(this.#timer);
    this.#reject(reason);
    void this.#options.child.kill();
  }
}
