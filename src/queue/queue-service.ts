import type { JobId } from '../job.ts';

/** Ids of jobs that wait to be started, first in, first out. A cache of the pending rows: rebuilt from the store at every start. */
export interface QueueService {
  /** Puts an id behind all others. */
  enqueue(jobId: JobId): void;
  /**
   * Puts the id of a job that was started before ahead of all that were not; among several of these, the older id is
   * first. With a delay nothing is taken until it has passed: no later job starts before this one.
   */
  requeue(jobId: JobId, delayMs?: number): void;
  /** As `requeue`, but only when the delay has passed. Other ids are taken meanwhile. */
  postpone(jobId: JobId, delayMs: number): void;
  /** Removes an id whose delay has not passed. Does nothing for any other id. */
  removeDelayed(jobId: JobId): void;
  /** Takes the first id, or undefined when there is none or its delay has not passed. Never blocks. */
  dequeue(): JobId | undefined;
  /** Number of ids that wait, delayed ones included. */
  size(): number;
  /**
   * Calls `wake` once, as soon as an id can be taken: before this returns when one can already. Of several who wait,
   * one is woken after the other for as long as an id is left; so a woken worker takes one immediately.
   * @returns a function that ends the wait
   */
  onWork(wake: () => void): () => void;
}
