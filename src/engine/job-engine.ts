import { v7 as uuidv7 } from 'uuid';
import type { JobEvent } from '../../machines/job.ts';
import { ServiceError } from '../errors.ts';
import { jobIdSchema, type Job, type JobId, type JobOptions } from '../job.ts';
import type { Log } from '../log.ts';
import type { VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { AdoptableFile, CopiedFile, StorageService } from '../storage/storage-service.ts';
import type { JobStore, SubmissionKey } from '../store/job-store.ts';
import { isFinal } from './job-change.ts';
import { JobFiles } from './job-files.ts';
import { JobRecovery } from './job-recovery.ts';
import { JobSteps, type TransitionListener } from './job-steps.ts';
import { Releases, RETRY_DELAYS, type RetryDelays } from './retry-delay.ts';
import { inputPathOf } from './sidecar.ts';
import type { SnapshotFormat } from './snapshot.ts';
import { Stalls } from './stalls.ts';
import type { StepListener } from './step.ts';
import { KeyedMutex } from './keyed-mutex.ts';

export interface JobEngineOptions {
  readonly store: JobStore;
  readonly queue: QueueService;
  readonly storage: StorageService;
  readonly pipelines: VideoFilePipelineService;
  /** Attempts that a job may lose before it is given up. */
  readonly maxAttempts: number;
  /** Jobs that may wait at once. */
  readonly maxPending: number;
  readonly log: Log;
  readonly onStep?: StepListener;
  /** Called when the files of a job are deleted. Must not throw. */
  readonly onFilesDeleted?: FilesDeletedListener;
  readonly retryDelays?: RetryDelays;
  readonly format?: SnapshotFormat;
}

export interface SubmitRequest {
  /** A whole file in the storage's incoming folder, taken over when the job is accepted; or the stored video of a job. */
  readonly video: AdoptableFile | CopiedFile;
  readonly pipelineId: string;
  readonly options: JobOptions;
  /** Cleaned name of the uploaded file; null if none was given or may be kept. */
  readonly fileName?: string | null;
  readonly tag?: string;
}

/** A submission that may come again, and counts once. */
export interface KeyedSubmitRequest extends SubmitRequest {
  readonly key: SubmissionKey;
  /** ISO 8601 UTC: a key that was used before this time is new again. */
  readonly keySince: string;
}

export type FilesDeletedListener = (jobIds: readonly JobId[]) => void;

interface JobEngineParts extends JobEngineOptions {
  readonly steps: JobSteps;
  readonly files: JobFiles;
  readonly recovery: JobRecovery;
  /** Jobs being accepted: their files may be there before their rows. */
  readonly admitting: Set<JobId>;
}

/** The writer of jobs, and what is done beside requests: recovery. Routes get the first alone. */
export function createEngine(options: JobEngineOptions): {
  readonly engine: JobEngine;
  readonly recovery: JobRecovery;
} {
  const steps = new JobSteps(options);
  const files = new JobFiles(options);
  const admitting = new Set<JobId>();
  const recovery = new JobRecovery({ retryDelays: RETRY_DELAYS, ...options, steps, files, admitting });
  return { engine: new JobEngine({ ...options, steps, files, recovery, admitting }), recovery };
}

/** The commands on jobs: accepts them, moves them on, cancels them. Every change is computed, committed, acted upon. */
export class JobEngine {
  readonly #steps: JobSteps;
  readonly #files: JobFiles;
  readonly #recovery: JobRecovery;
  readonly #store: JobStore;
  readonly #queue: QueueService;
  readonly #pipelines: VideoFilePipelineService;
  readonly #maxPending: number;
  readonly #onStep: StepListener | undefined;
  readonly #onFilesDeleted: FilesDeletedListener | undefined;
  readonly #retryDelays: RetryDelays;
  readonly #log: Log;
  readonly #releases = new Releases();
  readonly #stalls = new Stalls();
  readonly #admitting: Set<JobId>;
  /** Submissions with one key are accepted one after another. */
  readonly #keyed = new KeyedMutex();

  constructor(options: JobEngineParts) {
    const { store, queue, pipelines, maxPending, onStep, onFilesDeleted } = options;
    this.#steps = options.steps;
    this.#files = options.files;
    this.#recovery = options.recovery;
    this.#admitting = options.admitting;
    this.#store = store;
    this.#queue = queue;
    this.#pipelines = pipelines;
    this.#maxPending = maxPending;
    this.#onStep = onStep;
    this.#onFilesDeleted = onFilesDeleted;
    this.#retryDelays = options.retryDelays ?? RETRY_DELAYS;
    this.#log = options.log;
  }

  /**
   * Accepts a video: when this resolves the file is on disk under its job's name, the row is committed and the id is queued.
   * Rejects with `unknown_pipeline`, `queue_full`, `storage_full`, `store_unavailable`, or `file_missing` for a stored
   * video that is gone; then there is no row and no new file.
   *
   * A crash can fall between any two of its steps, and every one of them is before the answer:
   * while the upload arrives: it lies in the incoming folder, which is swept; with the video or the sidecar alone: a file of
   * no job, set aside; with both and no row: the next start makes the row from the sidecar, as if the answer had been lost;
   * after the commit: a pending job like any other, queued at the next start.
   */
  submit(request: SubmitRequest): Promise<Job> {
    return this.#accept(request, undefined);
  }

  /**
   * As `submit`, but the same submission again, by its key, gives the job of the first; the upload is then left where
   * it is. Rejects with `idempotency_mismatch` when the key came with something else before.
   */
  async submitOnce({ key, keySince, ...request }: KeyedSubmitRequest): Promise<{
    readonly job: Job;
    readonly replayed: boolean;
  }> {
    return this.#keyed.runExclusive(`${key.owner} ${key.keySha256}`, async () => {
      const known = await this.#store.submission(key, keySince);
      if (known === undefined) return { job: await this.#accept(request, key), replayed: false };
      if (known.fingerprint === key.fingerprint) return { job: await this.#steps.get(known.jobId), replayed: true };
      throw new ServiceError(
        'idempotency_mismatch',
        'This Idempotency-Key was used before with another video, pipeline or options',
      );
    });
  }

  async #accept(
    { video, pipelineId, options, fileName = null, tag }: SubmitRequest,
    submission: SubmissionKey | undefined,
  ): Promise<Job> {
    this.requirePipeline(pipelineId);
    this.requireQueueRoom();
    const jobId = jobIdSchema.parse(uuidv7());
    const createdAt = new Date().toISOString();
    const beginning = this.#steps.begin({
      jobId,
      pipelineId,
      options,
      fileName,
      tag: tag ?? null,
      inputPath: inputPathOf(jobId),
      createdAt,
    });
    let job: Job;
    this.#admitting.add(jobId);
    try {
      await this.#files.store(beginning.draft, video, submission);
      this.#onStep?.('submit: before commit');
      job = await this.#steps.commit(beginning, submission);
      this.#onStep?.('submit: committed');
    } catch (error) {
      await this.#files.discard(beginning.draft);
      throw error;
    } finally {
      this.#admitting.delete(jobId);
    }
    this.#steps.tell(job, beginning);
    this.#queue.enqueue(jobId);
    this.#onStep?.('submit: queued');
    return job;
  }

  /** Rejects when as many jobs wait as may. */
  requireQueueRoom(): void {
    if (this.#steps.waiting + this.#admitting.size < this.#maxPending) return;
    throw new ServiceError('queue_full', `${this.#maxPending} jobs are waiting, and no more may`, { retryable: true });
  }

  /** Rejects an unknown pipeline before anything is spent on it. */
  requirePipeline(pipelineId: string): void {
    if (this.#pipelines.list().some(({ id }) => id === pipelineId)) return;
    const known = this.#pipelines.list().map(({ id }) => id);
    throw new ServiceError(
      'unknown_pipeline',
      `Unknown pipeline ${JSON.stringify(pipelineId)}; there is: ${known.join(', ')}`,
    );
  }

  /**
   * Moves a job on by one event and resolves with the job as committed.
   * Rejects with `job_not_found`, with `job_conflict` when the job's state refuses the event, with `job_unwritable`, or
   * with `store_unavailable`.
   */
  async dispatch(jobId: JobId, event: JobEvent): Promise<Job> {
    for (;;) {
      const changed = await this.#steps.advance(await this.inHand(jobId), event, new Date().toISOString());
      // Somebody else moved the job between the read and the write: look again, from the start.
      if (changed === undefined) continue;
      if (event.type === 'COMPLETE' || event.type === 'FAIL') this.#releases.end(jobId);
      if (changed.status === 'pending') this.#requeue(changed, event);
      if (event.type === 'CANCEL') this.#queue.removeDelayed(jobId);
      if (isFinal(changed.status)) {
        this.#stalls.end(jobId);
        await this.#files.rewriteSidecar(changed);
        if (event.type !== 'START' && event.type !== 'RELEASE') this.#onStep?.(`${event.type}: sidecar rewritten`);
      }
      return changed;
    }
  }

  /** Queues a job again that was given back. */
  #requeue(job: Job, { type }: JobEvent): void {
    const { jobId } = job;
    if (type === 'RELEASE') {
      const delayMs = this.#retryDelays.afterReleases(this.#releases.release(jobId));
      if (delayMs > 0) this.#queue.postpone(jobId, delayMs);
      else this.#queue.requeue(jobId);
    } else {
      const delayMs = this.#retryDelays.afterLosses(this.#steps.restore(job).context.interruptions);
      this.#queue.requeue(jobId, delayMs);
      if (delayMs > 0) this.#log.info({ job_id: jobId, delay_ms: delayMs }, 'no other job starts before this one');
    }
    if (type === 'INTERRUPT' || type === 'RELEASE') this.#onStep?.(`${type}: queued`);
  }

  /**
   * Marks a waiting job running. One that this process has not lately written itself is first held against its sidecar:
   * a log that lost its end unnoticed may show a job as waiting that has ended, and what has ended must not run again.
   */
  async start(jobId: JobId): Promise<Job> {
    if (this.#steps.recent(jobId) === undefined) await this.#recovery.reconcile(jobId);
    return this.dispatch(jobId, { type: 'START' });
  }

  /**
   * Ends a job that cannot be moved on, because its row or its snapshot cannot be read or its next row cannot be
   * written: it fails with `internal`. One that a later version of the program stored is left to that. Both are logged.
   * Rejects with `store_unavailable`.
   */
  setAside(jobId: JobId, reason: unknown): Promise<void> {
    return this.#recovery.setAside(jobId, reason);
  }

  /** True when the environment refuses this job again and again while others end. */
  isRefusedAlone(jobId: JobId): boolean {
    return this.#releases.isOfItsOwn(jobId);
  }

  /** Notes an error of an attempt. True when it is a stall at the place of an earlier one: the next would be there too. */
  isRepeatedStall(jobId: JobId, error: unknown): boolean {
    return this.#stalls.isSecond(jobId, error);
  }

  /** Cancels a pending or running job. Idempotent. Rejects with `job_not_found`, or with `job_conflict` when the job ended otherwise. */
  async cancel(jobId: JobId): Promise<Job> {
    try {
      return await this.dispatch(jobId, { type: 'CANCEL' });
    } catch (error) {
      const job = await this.#steps.get(jobId);
      if (job.errorCode === 'cancelled') return job;
      throw error;
    }
  }

  /** A job in hand, as this process last committed it: read from the database only where that is no longer known. */
  async inHand(jobId: JobId): Promise<Job> {
    return this.#steps.recent(jobId) ?? this.#steps.get(jobId);
  }

  /**
   * Deletes the video and the results of a job that has ended, and keeps its row; again does no harm, and tells the
   * time (ISO 8601 UTC) of the first. Rejects with `job_not_found`, or `job_conflict` while the job waits or runs.
   */
  async deleteFiles(jobId: JobId): Promise<{ readonly jobId: JobId; readonly deletedAt: string }> {
    let job = await this.#steps.get(jobId);
    if (!isFinal(job.status)) {
      throw new ServiceError('job_conflict', `The job is ${job.status}: its files can be deleted when it has ended`);
    }
    if (job.expiredAt === null) {
      await this.#store.expire({ ...job, expiredAt: new Date().toISOString() });
      job = await this.#steps.get(jobId); // of two at once the first to be committed names the time
      this.#onStep?.('expire: committed');
      await this.#files.rewriteSidecar(job);
      this.#onStep?.('expire: sidecar rewritten');
    }
    const deletedAt = job.expiredAt;
    if (deletedAt === null) throw new ServiceError('internal', `the job ${jobId} is not marked as deleted`);
    this.#onFilesDeleted?.([jobId]);
    await this.#files.delete(job);
    return { jobId, deletedAt };
  }

  /** @returns a function that ends the subscription */
  onTransition(listener: TransitionListener): () => void {
    return this.#steps.onTransition(listener);
  }
}
