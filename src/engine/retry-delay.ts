import type { JobId } from '../job.ts';

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;
/** The first releases in a row, after which a job stays at the head of the queue: its worker pauses for 31 s in all. */
const RELEASES_AT_THE_HEAD = 5;
/** Releases after which a job is held to be at fault itself, where others end meanwhile: some minutes of tries. */
const RELEASES_OF_ITS_OWN = 10;

/** How long a job waits for its next attempt, in milliseconds. */
export interface RetryDelays {
  /** After so many lost attempts. No later job starts meanwhile. */
  readonly afterLosses: (losses: number) => number;
  /** After so many releases in a row. Other jobs start meanwhile. */
  readonly afterReleases: (releases: number) => number;
}

export const RETRY_DELAYS: RetryDelays = {
  /** None after the first loss, then 1 s, doubled up to a minute. */
  afterLosses: (losses) => (losses < 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (losses - 2), LONGEST_DELAY_MS)),
  /**
   * None after the first five releases. Then twice the pause of its worker (`backoff` in machines/worker.ts), so that
   * another job is tried meanwhile: if that one ends, the environment refuses this job alone.
   */
  afterReleases: (releases) =>
    releases <= RELEASES_AT_THE_HEAD ? 0 : 2 * Math.min(FIRST_DELAY_MS * 2 ** (releases - 1), LONGEST_DELAY_MS),
};

interface Released {
  readonly times: number;
  /** Number of jobs that had ended when it was first released. */
  readonly endedBefore: number;
}

/**
 * Counts how often in a row the environment refused each job. A job that it refuses again and again while others end
 * has an environment of its own (a bad sector, results larger than the disk): then its attempts are to be counted, or
 * it would never end. Kept in memory alone: a restart gives every job the benefit of the doubt.
 */
export class Releases {
  readonly #released = new Map<JobId, Released>();
  #ended = 0;

  /** @returns how often in a row it was released */
  release(jobId: JobId): number {
    const { times, endedBefore } = this.#released.get(jobId) ?? { times: 0, endedBefore: this.#ended };
    this.#released.set(jobId, { times: times + 1, endedBefore });
    return times + 1;
  }

  end(jobId: JobId): void {
    this.#released.delete(jobId);
    this.#ended += 1;
  }

  /** True when the environment refuses this job and not the others. */
  isOfItsOwn(jobId: JobId): boolean {
    const released = this.#released.get(jobId);
    return released !== undefined && released.times >= RELEASES_OF_ITS_OWN && this.#ended > released.endedBefore;
  }
}
