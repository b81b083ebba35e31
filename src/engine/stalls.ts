import { ServiceError } from '../errors.ts';
import type { JobId } from '../job.ts';

/**
 * Remembers where the analysis of each job stalled. One stall is usually caused by the machine, but a second one at the
 * same place would occur again. In memory only: a restart resets it.
 */
export class Stalls {
  readonly #places = new Map<JobId, number>();

  /** Records a lost attempt. Returns true if it stalled at the place of the previous stall. */
  isSecond(jobId: JobId, error: unknown): boolean {
    if (!(error instanceof ServiceError) || error.code !== 'stalled' || error.framesDecoded === undefined) return false;
    const isSecond = this.#places.get(jobId) === error.framesDecoded;
    this.#places.set(jobId, error.framesDecoded);
    return isSecond;
  }

  /** Forgets an ended job. */
  end(jobId: JobId): void {
    this.#places.delete(jobId);
  }
}
