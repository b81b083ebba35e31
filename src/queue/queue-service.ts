import type { JobId } from '../job.ts';

/** Ids of pending jobs, FIFO. A cache of the pending rows, rebuilt from the store at every start. */
export interface QueueService {
  /** Adds an id at the end. */
  enqueue(jobId: JobId): void;
  /**
   * Adds the id of a job with an earlier attempt, before all ids without one; among several, the older id is first.
   * With a delay, nothing is taken until it has passed, so that no later job starts before this one.
   */
  requeue(jobId: JobId, delayMs?: number): void;
  /** Calls `requeue` after the delay. Other ids can be taken meanwhile. */
  postpone(jobId: JobId, delayMs: number): void;
  /** Removes an id whose delay has not passed. Does nothing for other ids. */
  removeDelayed(jobId: JobId): void;
  /** Takes the first id. Returns undefined if there is none or its delay has not passed. Never blocks. */
  dequeue(): JobId | undefined;
  /** Number of waiting ids, delayed ones included. */
  size(): number;
  /**
   * Calls `wake` once, as soon as an id can be taken, or before it returns. Of several waiters, one is woken per
   * available id, so a woken worker takes one immediately.
   * @returns a function that ends the wait
   */
  onWork(wake: () => void): () => void;
}
