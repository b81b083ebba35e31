import type { JobOptions } from '../job.ts';
import type { AdoptableFile, CopiedFile } from '../storage/storage-service.ts';
import type { SubmissionKey } from '../store/job-store.ts';

export interface SubmitRequest {
  /** A complete file in the storage's incoming folder, which is adopted at acceptance, or the stored video of a job. */
  readonly video: AdoptableFile | CopiedFile;
  readonly pipelineId: string;
  readonly options: JobOptions;
  /** Cleaned name of the uploaded file; null if none was given or names are not kept. */
  readonly fileName?: string | null;
  readonly tag?: string;
}

/** A submission with an idempotency key. */
export interface KeyedSubmitRequest extends SubmitRequest {
  readonly key: SubmissionKey;
  /** ISO 8601 UTC: a key used before this time counts as new. */
  readonly keySince: string;
}
