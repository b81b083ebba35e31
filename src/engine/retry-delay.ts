import type { JobId } from '../job.ts';

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;
/** Releases in a row during which a job stays at the head of the queue. Its worker pauses for 31 s in total. */
const RELEASES_AT_THE_HEAD = 5;
/** Releases after which the job itself counts as the cause if others end meanwhile: some minutes. */
const RELEASES_OF_ITS_OWN = 10;

/** Delay of the next attempt in milliseconds. */
export interface RetryDelays {
  /** After this many lost attempts. No later job starts meanwhile. */
  readonly afterLosses: (losses: number) => number;
  /** After this many releases in a row. Other jobs start meanwhile. */
  readonly afterReleases: (releases: number) => number;
}

export const RETRY_DELAYS: RetryDelays = {
  /** None after the first loss, then 1 s, doubled up to a minute. */
  afterLosses: (losses) => (losses < 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (losses - 2), LONGEST_DELAY_MS)),
  /**
   * None after the first five releases, then twice the pause of its worker (`backoff` in machines/worker.ts), so that
   * another job runs meanwhile. If that job ends, the environment refuses only this one.
   */
  afterReleases: (releases) =>
    releases <= RELEASES_AT_THE_HEAD ? 0 : 2 * Math.min(FIRST_DELAY_MS * 2 ** (releases - 1), LONGEST_DELAY_MS),
};

interface Released {
  readonly times: number;
  /** Number of ended jobs at its first release. */
  readonly endedBefore: number;
}

/**
 * Counts the refusals in a row of each job. A job that is refused while others end has its own cause (a bad sector,
 * results larger than the disk); its attempts must then count, or it would never end. In memory only: a restart resets
 * the counts.
 */
export class Releases {
  readonly #released = new Map<JobId, Released>();
  #ended = 0;

  /** @returns the number of releases in a row */
  release(jobId: JobId): number {
    const { times, endedBefore } = this.#released.get(jobId) ?? { times: 0, endedBefore: this.#ended };
    this.#released.set(jobId, { times: times + 1, endedBefore });
    return times + 1;
  }

  /** Counts a job that completed or failed: the environment let it end. */
  countEnd(): void {
    this.#ended += 1;
  }

  /** Of a job that ended. */
  forget(jobId: JobId): void {
    this.#released.delete(jobId);
  }

  /** Returns true if the environment refuses this job and not the others. */
  isOfItsOwn(jobId: JobId): boolean {
    const released = this.#released.get(jobId);
    return released !== undefined && released.times >= RELEASES_OF_ITS_OWN && this.#ended > released.endedBefore;
  }
}
