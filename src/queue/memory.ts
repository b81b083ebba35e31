import type { JobId } from '../job.ts';
import type { QueueService } from './queue-service.ts';

interface QueueItem {
  readonly job_id: JobId;
}

/** First in, first out, in memory; amortised O(1) at any length. */
export class InMemoryQueueService implements QueueService {
  /** Last in, last. */
  #arrived: QueueItem[] = [];
  /** Turned over when empty, so that the first in is the last here, where it is taken for nothing. */
  #next: QueueItem[] = [];
  /** Jobs that were started before, the oldest first; few, since each was in the hands of a worker. */
  #interrupted: QueueItem[] = [];
  /** Number of jobs that will be among these when their delay has passed. */
  #delayed = 0;
  readonly #waiting = new Set<() => void>();

  enqueue(jobId: JobId): void {
    this.#arrived.push({ job_id: jobId });
    this.#wake();
  }

  requeue(jobId: JobId, delayMs = 0): void {
    if (delayMs > 0) {
      this.#delayed += 1;
      setTimeout(() => {
        this.#delayed -= 1;
        this.requeue(jobId);
      }, delayMs).unref();
      return;
    }
    this.#interrupted = [...this.#interrupted, { job_id: jobId }].toSorted((a, b) => (a.job_id < b.job_id ? -1 : 1));
    this.#wake();
  }

  dequeue(): JobId | undefined {
    return (this.#interrupted.shift() ?? this.#takeFirst())?.job_id;
  }

  size(): number {
    return this.#delayed + this.#ready();
  }

  #ready(): number {
    return this.#interrupted.length + this.#next.length + this.#arrived.length;
  }

  onWork(wake: () => void): () => void {
    this.#waiting.add(wake);
    this.#wake();
    return () => void this.#waiting.delete(wake);
  }

  #takeFirst(): QueueItem | undefined {
    if (this.#next.length === 0) {
      this.#next = this.#arrived.toReversed();
      this.#arrived = [];
    }
    return this.#next.pop();
  }

  #wake(): void {
    for (const wake of this.#waiting) {
      if (this.#ready() === 0) return;
      this.#waiting.delete(wake);
      wake();
    }
  }
}
