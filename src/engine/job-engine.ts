import { v7 as uuidv7 } from 'uuid';
import type { JobEvent } from '../../machines/job.ts';
import { ServiceError } from '../errors.ts';
import { jobIdSchema, type Job, type JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { StorageService } from '../storage/storage-service.ts';
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
import type { KeyedSubmitRequest, SubmitRequest } from './submit-request.ts';

export interface JobEngineOptions {
  readonly store: JobStore;
  readonly queue: QueueService;
  readonly storage: StorageService;
  readonly pipelines: VideoFilePipelineService;
  /** Lost attempts after which a job fails. */
  readonly maxAttempts: number;
  /** Maximum number of pending jobs. */
  readonly maxPending: number;
  readonly log: Log;
  readonly onStep?: StepListener;
  /** Called when the files of a job are deleted. Must not throw. */
  readonly onFilesDeleted?: FilesDeletedListener;
  readonly retryDelays?: RetryDelays;
  readonly format?: SnapshotFormat;
}

export type FilesDeletedListener = (jobIds: readonly JobId[]) => void;

interface JobEngineParts extends JobEngineOptions {
  readonly steps: JobSteps;
  readonly files: JobFiles;
  readonly recovery: JobRecovery;
  /** Jobs being accepted: their files may exist before their rows. */
  readonly admitting: Set<JobId>;
}

/** The writer of jobs, and recovery. Routes get only the first. */
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

/** Commands on jobs: submit, dispatch, cancel, delete. Every transition is computed, committed, then acted on. */
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
  /** Serialises submissions with the same key. */
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
   * Accepts a video. When it resolves, the file is stored under the job's name, the row is committed and the id is
   * queued. Rejects with `unknown_pipeline`, `queue_full`, `storage_full`, `store_unavailable`, or `file_missing` for a
   * stored video that does not exist; then there is no row and no new file.
   * A crash can fall between any two steps, all of them before the response. During the upload, the file is in the
   * incoming folder, which is swept. With only the video or the sidecar, the file is moved to quarantine. With both and
   * no row, the next start creates the row. After the commit, the next start queues the job.
   */
  submit(request: SubmitRequest): Promise<Job> {
    return this.#accept(request, undefined);
  }

  /**
   * Like `submit`, but a repeated submission with the same key returns the first job and leaves the upload in place.
   * Rejects with `idempotency_mismatch` if the key was used for another submission.
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

  /** Rejects if the maximum number of jobs is pending. */
  requireQueueRoom(): void {
    if (this.#steps.waiting + this.#admitting.size < this.#maxPending) return;
    throw new ServiceError('queue_full', `${this.#maxPending} jobs are pending, which is the limit`, {
      retryable: true,
    });
  }

  /** Rejects an unknown pipeline early. */
  requirePipeline(pipelineId: string): void {
    if (this.#pipelines.list().some(({ id }) => id === pipelineId)) return;
    const known = this.#pipelines.list().map(({ id }) => id);
    throw new ServiceError(
      'unknown_pipeline',
      `Unknown pipeline ${JSON.stringify(pipelineId)}; there is: ${known.join(', ')}`,
    );
  }

  /**
   * Applies an event to a job and resolves with the committed job. Rejects with `job_not_found`, with `job_conflict` if
   * the state does not accept the event, with `job_unwritable`, or with `store_unavailable`.
   */
  async dispatch(jobId: JobId, event: JobEvent): Promise<Job> {
    for (;;) {
      const changed = await this.#steps.advance(await this.inHand(jobId), event, new Date().toISOString());
      // Another transition came between the read and the write: start again.
      if (changed === undefined) continue;
      if (event.type === 'COMPLETE' || event.type === 'FAIL') this.#releases.countEnd();
      if (changed.status === 'pending') this.#requeue(changed, event);
      if (event.type === 'CANCEL') this.#queue.removeDelayed(jobId);
      if (isFinal(changed.status)) {
        this.#stalls.end(jobId);
        this.#releases.forget(jobId);
        await this.#files.rewriteSidecar(changed);
        if (event.type !== 'START' && event.type !== 'RELEASE') this.#onStep?.(`${event.type}: sidecar rewritten`);
      }
      return changed;
    }
  }

  /** Queues a job that was given back. */
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
   * Starts a pending job. If this process has not committed the job recently, its sidecar is checked first: a log that
   * lost its end unnoticed may show an ended job as pending, and it must not run again.
   */
  async start(jobId: JobId): Promise<Job> {
    if (this.#steps.recent(jobId) === undefined) await this.#recovery.reconcile(jobId);
    return this.dispatch(jobId, { type: 'START' });
  }

  /**
   * Fails a job with `internal` because its row or snapshot cannot be read or its next row cannot be written. A job of
   * a newer version is left unchanged. Both are logged. Rejects with `store_unavailable`.
   */
  setAside(jobId: JobId, reason: unknown): Promise<void> {
    return this.#recovery.setAside(jobId, reason);
  }

  /** Returns true if the environment refuses only this job. */
  isRefusedAlone(jobId: JobId): boolean {
    return this.#releases.isOfItsOwn(jobId);
  }

  /** Records a lost attempt. Returns true for a stall at the place of an earlier one, which would occur again. */
  isRepeatedStall(jobId: JobId, error: unknown): boolean {
    return this.#stalls.isSecond(jobId, error);
  }

  /**
   * Cancels a pending or running job. Idempotent. Rejects with `job_not_found`, or with `job_conflict` if the job ended
   * in another way.
   */
  async cancel(jobId: JobId): Promise<Job> {
    try {
      return await this.dispatch(jobId, { type: 'CANCEL' });
    } catch (error) {
      const job = await this.#steps.get(jobId);
      if (job.errorCode === 'cancelled') return job;
      throw error;
    }
  }

  /** Returns a running job as this process last committed it; reads the database only if that is unknown. */
  async inHand(jobId: JobId): Promise<Job> {
    return this.#steps.recent(jobId) ?? this.#steps.get(jobId);
  }

  /**
   * Deletes the video and the results of an ended job and keeps its row. Idempotent; resolves with the time (ISO 8601
   * UTC) of the first deletion. Rejects with `job_not_found`, or `job_conflict` if the job is pending or running.
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
