import type { JobSegments } from '../analysis/job-segments.ts';
import type { JobId } from '../job.ts';
import type { JobStore } from '../store/job-store.ts';
import { resultsPathOf, segmentsPathOf } from './sidecar.ts';

export interface SearchableJobsOptions {
  readonly store: Pick<JobStore, 'get' | 'placesIn' | 'retentionStatesOf'>;
  readonly segments: Pick<JobSegments, 'stored'>;
}

/** The jobs that can be searched, for the index of segments. */
export class SearchableJobs {
  readonly #store: SearchableJobsOptions['store'];
  readonly #segments: SearchableJobsOptions['segments'];

  constructor({ store, segments }: SearchableJobsOptions) {
    this.#store = store;
    this.#segments = segments;
  }

  /** Completed jobs in the order of acceptance, accepted after that one. */
  completed(afterSeq: number, limit: number) {
    return this.#store.placesIn('completed', afterSeq, limit);
  }

  /** Returns undefined for a job that is not completed or whose files are deleted. Creates missing segments. */
  async open(jobId: JobId) {
    const job = await this.#store.get(jobId);
    if (job?.status !== 'completed' || job.expiredAt !== null) return undefined;
    const { pipelineId, fileName, tag, createdAt, media } = job;
    const resultsPath = resultsPathOf(jobId);
    const segmentsPath = await this.#segments.stored({ resultsPath, segmentsPath: segmentsPathOf(jobId), media });
    return { jobId, pipelineId, fileName, tag, createdAt, segmentsPath };
  }

  /** Those of these jobs that are not known or whose files are deleted. */
  async gone(jobIds: readonly JobId[]): Promise<readonly JobId[]> {
    const states = await this.#store.retentionStatesOf(jobIds);
    return jobIds.filter((jobId) => states.get(jobId)?.expiredAt !== null);
  }
}
