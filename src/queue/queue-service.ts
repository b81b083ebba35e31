import type { JobId } from '../job.ts';

/** Ids of jobs that wait to be started, first in, first out. A cache of the pending rows: rebuilt from the store at every start. */
export interface QueueService {
  /** Puts an id behind all others. */
  enqueue(jobId: JobId): void;
  /** Puts an interrupted job's id before all that were never started; among several of these, the older id is first. */
  requeue(jobId: JobId): void;
  /** Takes the first id, or undefined when none waits. Never blocks. */
  dequeue(): JobId | undefined;
  /** Number of ids that wait. */
  size(): number;
  /**
   * Calls `wake` once, as soon as an id waits: before this returns when one does already. Of several who wait, one is
   * woken after the other for as long as an id is left; so whoever is woken takes one there and then.
   * @returns a function that ends the wait
   */
  onWork(wake: () => void): () => void;
}
