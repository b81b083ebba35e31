import type { JobId } from '../job.ts';
import type { QueueService } from './queue-service.ts';

/** Ids taken from the front before the array is cut: moving what is left is then paid for by as many dequeues. */
const CUT_AFTER = 1_024;

interface QueueItem {
  readonly job_id: JobId;
}

/** First in, first out, in memory; amortised O(1) at any length. */
export class InMemoryQueueService implements QueueService {
  #items: QueueItem[] = [];
  #head = 0;
  /** Interrupted jobs, the oldest first; never more than there are workers. */
  #interrupted: QueueItem[] = [];
  readonly #waiting = new Set<() => void>();

  enqueue(jobId: JobId): void {
    this.#items.push({ job_id: jobId });
    this.#wake();
  }

  requeue(jobId: JobId): void {
    this.#interrupted = [...this.#interrupted, { job_id: jobId }].toSorted((a, b) => (a.job_id < b.job_id ? -1 : 1));
    this.#wake();
  }

  dequeue(): JobId | undefined {
    return (this.#interrupted.shift() ?? this.#takeFirst())?.job_id;
  }

  size(): number {
    return this.#interrupted.length + this.#items.length - this.#head;
  }

  ready(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.size() > 0) return resolve();
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiting.delete(done);
        reject(signal.reason);
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #takeFirst(): QueueItem | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head >= CUT_AFTER && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  #wake(): void {
    for (const done of this.#waiting) done();
  }
}
