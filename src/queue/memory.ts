import type { JobId } from '../job.ts';
import type { QueueService } from './queue-service.ts';

interface QueueItem {
  readonly job_id: JobId;
}

/** FIFO in memory. Amortised O(1) at any length. */
export class InMemoryQueueService implements QueueService {
  /** Newest last. */
  #arrived: QueueItem[] = [];
  /** Reversed when empty, so that the oldest id is last and can be popped. */
  #next: QueueItem[] = [];
  /** Jobs with an earlier attempt, the oldest first. Few, because each had a worker. */
  #restarted: QueueItem[] = [];
  /** Timers of ids whose delay has not passed. */
  readonly #delays = new Map<JobId, NodeJS.Timeout>();
  readonly #waiting = new Set<() => void>();

  enqueue(jobId: JobId): void {
    this.#arrived.push({ job_id: jobId });
    this.#wake();
  }

  requeue(jobId: JobId, delayMs = 0): void {
    this.#restarted = [...this.#restarted, { job_id: jobId }].toSorted((a, b) => (a.job_id < b.job_id ? -1 : 1));
    if (delayMs > 0) this.#delay(jobId, delayMs, () => this.#wake());
    else this.#wake();
  }

  postpone(jobId: JobId, delayMs: number): void {
    this.#delay(jobId, delayMs, () => this.requeue(jobId));
  }

  removeDelayed(jobId: JobId): void {
    const timer = this.#delays.get(jobId);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#delays.delete(jobId);
    this.#restarted = this.#restarted.filter((item) => item.job_id !== jobId);
    this.#wake();
  }

  dequeue(): JobId | undefined {
    if (this.#isHeld()) return undefined;
    return (this.#restarted.shift() ?? this.#takeFirst())?.job_id;
  }

  size(): number {
    const restarted = new Set([...this.#restarted.map((item) => item.job_id), ...this.#delays.keys()]);
    return restarted.size + this.#next.length + this.#arrived.length;
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

  #delay(jobId: JobId, delayMs: number, afterwards: () => void): void {
    const timer = setTimeout(() => {
      this.#delays.delete(jobId);
      afterwards();
    }, delayMs);
    this.#delays.set(jobId, timer.unref());
  }

  /** True while the first id waits for its delay. */
  #isHeld(): boolean {
    const [first] = this.#restarted;
    return first !== undefined && this.#delays.has(first.job_id);
  }

  #isReady(): boolean {
    return !this.#isHeld() && this.#restarted.length + this.#next.length + this.#arrived.length > 0;
  }

  #wake(): void {
    for (const wake of this.#waiting) {
      if (!this.#isReady()) return;
      this.#waiting.delete(wake);
      wake();
    }
  }
}
