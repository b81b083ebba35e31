import type { JobId } from '../job.ts';

/** Ids of jobs that wait to be started, first in, first out. A cache of the pending rows: rebuilt from the store at every start. */
export interface QueueService {
  /** Puts an id behind all others. */
  enqueue(jobId: JobId): void;
  /**
   * Puts the id of a job that was started before ahead of all that were not; among several of these, the older id is
   * first. With a delay no worker gets it until that time has passed; the others go on meanwhile.
   */
  requeue(jobId: JobId, delayMs?: number): void;
  /** Takes the first id that is not delayed, or undefined when there is none. Never blocks. */
  dequeue(): JobId | undefined;
  /** Number of ids that wait, delayed ones included. */
  size(): number;
  /**
   * Calls `wake` once, as soon as an id waits: before this returns when one does already. Of several who wait, one is
   * woken after the other for as long as an id is left; so a woken worker takes one immediately.
   * @returns a function that ends the wait
   */
  onWork(wake: () => void): () => void;
}
