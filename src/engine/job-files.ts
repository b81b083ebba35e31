import { messageOf, ServiceError } from '../errors.ts';
import type { Job, JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { AdoptableFile, CopiedFile, StorageService } from '../storage/storage-service.ts';
import type { SubmissionKey } from '../store/job-store.ts';
import {
  readSidecar,
  resultsPathOf,
  segmentsPathOf,
  sidecarPathOf,
  thumbnailsPathOf,
  writeSidecar,
} from './sidecar.ts';
import type { StepListener } from './step.ts';
import { KeyedMutex } from './keyed-mutex.ts';

/** The number of sidecars that a start compares with their rows. */
const MAX_BEHIND = 1_000;

export interface JobFilesOptions {
  readonly storage: StorageService;
  readonly log: Log;
  readonly onStep?: StepListener | undefined;
}

/** Stored files of a job: video, sidecar, results and segments. */
export class JobFiles {
  readonly #storage: StorageService;
  readonly #log: Log;
  readonly #onStep: StepListener | undefined;
  /** Serialises the writes of each sidecar, so that the deletion of a job's files is not overwritten by its end. */
  readonly #rewriting = new KeyedMutex();
  /** Committed jobs whose sidecars could not be written. */
  readonly #behind = new Map<JobId, Job>();

  constructor({ storage, log, onStep }: JobFilesOptions) {
    this.#storage = storage;
    this.#log = log;
    this.#onStep = onStep;
  }

  /**
   * Stores the video and the sidecar of a new job in parallel, because they share the fsync of their folder. Waits for
   * both even if one fails.
   */
  async store(
    draft: Omit<Job, 'acceptedSeq'>,
    video: AdoptableFile | CopiedFile,
    submission: SubmissionKey | undefined,
  ): Promise<void> {
    const kept =
      submission === undefined
        ? null
        : { owner: submission.owner, key_sha256: submission.keySha256, fingerprint: submission.fingerprint };
    const stored = await Promise.allSettled([
      this.#storage.saveFile(video, draft.inputPath).then(() => this.#onStep?.('submit: video stored')),
      writeSidecar(this.#storage, draft, kept).then(() => this.#onStep?.('submit: sidecar stored')),
    ]);
    for (const result of stored) if (result.status === 'rejected') throw result.reason;
  }

  /** Deletes the files of a job that is not accepted. */
  async discard({ jobId, inputPath }: Pick<Job, 'jobId' | 'inputPath'>): Promise<void> {
    // The sidecar first, because a sidecar without a row would restore the rejected job.
    await this.#storage.deleteFile(sidecarPathOf(jobId));
    await this.#storage.deleteFile(inputPath);
  }

  /**
   * Rewrites the sidecar of a committed job. If the disk refuses, it is retried with the next written sidecar, or at
   * the next start; the commit stays.
   */
  async rewriteSidecar(job: Job): Promise<void> {
    if (!(await this.#rewrite(job))) return;
    for (const behind of this.#behind.values()) {
      if (!(await this.#rewrite(behind, () => this.#behind.get(behind.jobId) === behind))) return;
    }
  }

  /** @param isLatest returns false if a later row has been written meanwhile */
  #rewrite(job: Job, isLatest: () => boolean = () => true): Promise<boolean> {
    return this.#rewriting.runExclusive(job.jobId, async () => {
      if (!isLatest()) return true;
      try {
        // The idempotency key is not in the row.
        const known = await readSidecar(this.#storage, job.jobId);
        const submission = known === undefined || known === 'unreadable' ? null : known.submission;
        await writeSidecar(this.#storage, job, submission);
        this.#behind.delete(job.jobId);
        return true;
      } catch (error) {
        this.#log.warn({ job_id: job.jobId, reason: messageOf(error) }, 'sidecar not rewritten');
        if (this.#behind.size < MAX_BEHIND) this.#behind.set(job.jobId, job);
        return false;
      }
    });
  }

  /** Deletes the video, the results and the derived files of an expired job. */
  async delete({ jobId, inputPath }: Pick<Job, 'jobId' | 'inputPath'>): Promise<void> {
    await this.#storage.deleteFile(resultsPathOf(jobId));
    this.#onStep?.('expire: results deleted');
    await this.#storage.deleteFile(segmentsPathOf(jobId));
    this.#onStep?.('expire: segments deleted');
    await this.#storage.deleteFile(thumbnailsPathOf(jobId));
    this.#onStep?.('expire: thumbnails deleted');
    await this.#storage.deleteFile(inputPath);
    this.#onStep?.('expire: input deleted');
    this.#log.info({ job_id: jobId }, 'files deleted');
  }
}

/** Returns the local path of a job's video. Rejects with `video_missing`. */
export async function openVideo(
  storage: Pick<StorageService, 'loadFile'>,
  { jobId, inputPath }: Pick<Job, 'jobId' | 'inputPath'>,
): Promise<string> {
  try {
    return await storage.loadFile(inputPath);
  } catch (cause) {
    if (!(cause instanceof ServiceError) || cause.code !== 'file_missing') throw cause;
    throw new ServiceError('video_missing', `The video of job ${jobId} is no longer stored`, { cause });
  }
}

/** Returns the local path of a completed job's results. Rejects with `job_not_completed` or `results_expired`. */
export async function openResults(
  storage: Pick<StorageService, 'loadFile'>,
  { jobId, status, outputPath, expiredAt }: Job,
): Promise<string> {
  if (outputPath !== null && expiredAt !== null) {
    throw new ServiceError('results_expired', `The results of job ${jobId} were deleted at ${expiredAt}`);
  }
  if (outputPath === null) {
    throw new ServiceError(
      'job_not_completed',
      `The job ${jobId} is ${status}; there are results when it is completed`,
    );
  }
  return storage.loadFile(outputPath);
}
