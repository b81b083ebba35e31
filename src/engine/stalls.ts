import { ServiceError } from '../errors.ts';
import type { JobId } from '../job.ts';

/**
 * Remembers where the analysis of each job stalled. A stall is more often the machine's than the video's, but a second
 * one at the same place would come a third time. Kept in memory alone: after a restart a job may stall once more.
 */
export class Stalls {
  readonly #places = new Map<JobId, number>();

  /** Notes how an attempt was lost. True when it stalled where the last one that stalled did. */
  isSecond(jobId: JobId, error: unknown): boolean {
    if (!(error instanceof ServiceError) || error.code !== 'stalled' || error.framesDecoded === undefined) return false;
    const isSecond = this.#places.get(jobId) === error.framesDecoded;
    this.#places.set(jobId, error.framesDecoded);
    return isSecond;
  }

  /** Forgets a job that has ended. */
  end(jobId: JobId): void {
    this.#places.delete(jobId);
  }
}
