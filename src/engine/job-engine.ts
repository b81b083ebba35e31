import { initialTransition, transition } from 'xstate';
import { v7 as uuidv7 } from 'uuid';
import { jobMachine, type JobEvent } from '../../machines/job.ts';
import { messageOf, ServiceError } from '../errors.ts';
import {
  jobIdSchema,
  type Job,
  type JobId,
  type JobOptions,
  type JobOutline,
  type JobStatus,
  type JobTransition,
} from '../job.ts';
import type { Log } from '../log.ts';
import type { PipelineDescription, VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobFilter, JobStore, SubmissionKey } from '../store/job-store.ts';
import { columnsOf, isFinal, transitionOf } from './job-change.ts';
import { inputPathOf, readSidecar, resultsPathOf, sidecarPathOf, writeSidecar, type Sidecar } from './sidecar.ts';
import { restoreSnapshot } from './snapshot.ts';
import type { StepListener } from './step.ts';
import { Turns } from './turns.ts';

/** Rows kept from their last commit, so that a job in hand is not read back before each of its events. */
const RECENT_ROWS = 1_024;

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
}

export interface SubmitRequest {
  /** A whole file in the storage's incoming folder; taken over when the job is accepted. */
  readonly uploadPath: string;
  readonly pipelineId: string;
  readonly options: JobOptions;
}

/** A submission that may come again, and counts once. */
export interface KeyedSubmitRequest extends SubmitRequest {
  readonly key: SubmissionKey;
  /** ISO 8601 UTC: a key that was used before this time is new again. */
  readonly keySince: string;
}

/** Told of every transition after its commit. Must not throw. */
export type TransitionListener = (job: Job, transition: JobTransition) => void;

/** The only writer of jobs. Every change is computed, committed, acted upon: in this order and nowhere else. */
export class JobEngine {
  readonly #store: JobStore;
  readonly #queue: QueueService;
  readonly #storage: StorageService;
  readonly #pipelines: VideoFilePipelineService;
  readonly #maxAttempts: number;
  readonly #maxPending: number;
  readonly #log: Log;
  readonly #onStep: StepListener | undefined;
  readonly #listeners = new Set<TransitionListener>();
  /** Jobs being accepted: their files may be there before their rows. */
  readonly #admitting = new Set<JobId>();
  /** Submissions with one key are accepted one after another. */
  readonly #keyed = new Turns();
  /** Whoever deletes the files of a job as it ends must have the last word in its sidecar. */
  readonly #rewriting = new Turns();
  /** Number of pending rows. The queue's length is no measure of it: it still holds the ids of jobs cancelled while they waited. */
  #waiting = 0;
  /** The latest committed rows of jobs that have not ended. A stale one harms nothing: every write is guarded by its revision. */
  readonly #recent = new Map<JobId, Job>();

  constructor({ store, queue, storage, pipelines, maxAttempts, maxPending, log, onStep }: JobEngineOptions) {
    this.#store = store;
    this.#queue = queue;
    this.#storage = storage;
    this.#pipelines = pipelines;
    this.#maxAttempts = maxAttempts;
    this.#maxPending = maxPending;
    this.#log = log;
    this.#onStep = onStep;
  }

  /** The pipelines that a job may name. */
  pipelines(): readonly PipelineDescription[] {
    return this.#pipelines.list();
  }

  /**
   * Accepts a video: when this resolves the file is on disk under its job's name, the row is committed and the id is queued.
   * Rejects with `unknown_pipeline`, `queue_full`, `storage_full` or `store_unavailable`; then there is no row and no stored file.
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
    return this.#keyed.take(`${key.owner} ${key.keySha256}`, async () => {
      const known = await this.#store.submission(key, keySince);
      if (known === undefined) return { job: await this.#accept(request, key), replayed: false };
      if (known.fingerprint === key.fingerprint) return { job: await this.get(known.jobId), replayed: true };
      throw new ServiceError(
        'idempotency_mismatch',
        'This Idempotency-Key was used before with another video, pipeline or options',
      );
    });
  }

  async #accept(
    { uploadPath, pipelineId, options }: SubmitRequest,
    submission: SubmissionKey | undefined,
  ): Promise<Job> {
    this.requirePipeline(pipelineId);
    this.requireQueueRoom();
    const jobId = jobIdSchema.parse(uuidv7());
    const createdAt = new Date().toISOString();
    const { draft, first } = this.#begin({ jobId, pipelineId, options, inputPath: inputPathOf(jobId), createdAt });
    let job: Job;
    this.#admitting.add(jobId);
    try {
      await this.#storeFiles(draft, uploadPath, submission);
      this.#onStep?.('submit: before commit');
      job = await this.#store.insert(draft, first, submission);
      this.#onStep?.('submit: committed');
    } catch (error) {
      // The sidecar first: without it nothing can bring the refused job to life.
      await this.#storage.deleteFile(sidecarPathOf(jobId));
      await this.#storage.deleteFile(draft.inputPath);
      throw error;
    } finally {
      this.#admitting.delete(jobId);
    }
    this.#keep(job);
    this.#queue.enqueue(jobId);
    this.#onStep?.('submit: queued');
    this.#announce(job, first);
    return job;
  }

  /** Tells how many jobs were found waiting at the start, before anything is accepted; from here on the engine counts itself. */
  countWaiting(found: number): void {
    this.#waiting = found;
  }

  /** Rejects when as many jobs wait as may. */
  requireQueueRoom(): void {
    if (this.#waiting + this.#admitting.size < this.#maxPending) return;
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
   * Rejects with `job_not_found`, with `job_conflict` when the job's state refuses the event, or with `store_unavailable`.
   */
  async dispatch(jobId: JobId, event: JobEvent): Promise<Job> {
    for (;;) {
      const kept = this.#recent.get(jobId);
      const changed = await this.#advance(kept ?? (await this.get(jobId)), event, new Date().toISOString());
      // Somebody else moved the job between the read and the write: look again, from the start.
      if (changed === undefined) continue;
      if (changed.status === 'pending') {
        this.#queue.requeue(jobId);
        if (event.type === 'INTERRUPT' || event.type === 'RELEASE') this.#onStep?.(`${event.type}: queued`);
      }
      if (isFinal(changed.status)) {
        await this.rewriteSidecar(changed);
        if (event.type !== 'START' && event.type !== 'RELEASE') this.#onStep?.(`${event.type}: sidecar rewritten`);
      }
      return changed;
    }
  }

  /**
   * Marks a waiting job running. One that this process has not lately written itself is first held against its sidecar:
   * a log that lost its end unnoticed may show a job as waiting that has ended, and what has ended must not run again.
   */
  async start(jobId: JobId): Promise<Job> {
    if (!this.#recent.has(jobId)) await this.reconcile(jobId);
    return this.dispatch(jobId, { type: 'START' });
  }

  /** Gives a job up; one that was cancelled before stays so. Rejects with `job_not_found`, or `job_conflict` when it ended otherwise. */
  async cancel(jobId: JobId): Promise<Job> {
    try {
      return await this.dispatch(jobId, { type: 'CANCEL' });
    } catch (error) {
      const job = await this.get(jobId);
      if (job.errorCode === 'cancelled') return job;
      throw error;
    }
  }

  /** Rejects with `job_not_found`. */
  async get(jobId: JobId): Promise<Job> {
    const job = await this.#store.get(jobId);
    if (job === undefined) throw new ServiceError('job_not_found', `There is no job ${jobId}`);
    return job;
  }

  /** What a job's status tells. Rejects with `job_not_found`. */
  async outline(jobId: JobId): Promise<JobOutline> {
    const outline = await this.#store.outline(jobId);
    if (outline === undefined) throw new ServiceError('job_not_found', `There is no job ${jobId}`);
    return outline;
  }

  /** A job in hand, as this process last committed it: read from the database only where that is no longer known. */
  async inHand(jobId: JobId): Promise<Job> {
    return this.#recent.get(jobId) ?? this.get(jobId);
  }

  /** Jobs that pass the filter, the last accepted first, at most `limit`. */
  list(filter: JobFilter, limit: number): Promise<readonly Job[]> {
    return this.#store.newest(filter, limit);
  }

  /** How many jobs there are in each state. */
  countByStatus(): Promise<Readonly<Record<JobStatus, number>>> {
    return this.#store.countByStatus();
  }

  /** A job's transitions in order; empty for an unknown id. */
  transitionsOf(jobId: JobId): Promise<readonly JobTransition[]> {
    return this.#store.transitionsOf(jobId);
  }

  /** While it stays, so does every answer about jobs. */
  changeToken(): string {
    return this.#store.changeToken();
  }

  /** The local path of a job's video. Rejects with `job_not_found`, or `video_missing` when it is no longer there. */
  async openVideo(jobId: JobId): Promise<{ readonly path: string }> {
    const { inputPath } = await this.get(jobId);
    try {
      return { path: await this.#storage.loadFile(inputPath) };
    } catch (cause) {
      if (!(cause instanceof ServiceError) || cause.code !== 'file_missing') throw cause;
      throw new ServiceError('video_missing', `The video of job ${jobId} is no longer stored`, { cause });
    }
  }

  /** The local path of a completed job's results. Rejects with `job_not_found`, `job_not_completed` or `results_expired`. */
  async openResults(jobId: JobId): Promise<{ readonly path: string }> {
    const { status, outputPath, expiredAt } = await this.get(jobId);
    if (outputPath !== null && expiredAt !== null) {
      throw new ServiceError('results_expired', `The results of job ${jobId} were deleted at ${expiredAt}`);
    }
    if (outputPath === null) {
      throw new ServiceError(
        'job_not_completed',
        `The job ${jobId} is ${status}; there are results when it is completed`,
      );
    }
    return { path: await this.#storage.loadFile(outputPath) };
  }

  /**
   * Deletes the video and the results of a job that has ended, and keeps its row; again does no harm, and tells the
   * time (ISO 8601 UTC) of the first. Rejects with `job_not_found`, or `job_conflict` while the job waits or runs.
   */
  async deleteFiles(jobId: JobId): Promise<{ readonly jobId: JobId; readonly deletedAt: string }> {
    let job = await this.get(jobId);
    if (!isFinal(job.status)) {
      throw new ServiceError('job_conflict', `The job is ${job.status}: its files can be deleted when it has ended`);
    }
    if (job.expiredAt === null) {
      await this.#store.expire({ ...job, expiredAt: new Date().toISOString() });
      job = await this.get(jobId); // of two at once the first to be committed names the time
      this.#onStep?.('expire: committed');
      await this.rewriteSidecar(job);
      this.#onStep?.('expire: sidecar rewritten');
    }
    const deletedAt = job.expiredAt;
    if (deletedAt === null) throw new ServiceError('internal', `the job ${jobId} is not marked as deleted`);
    await this.#storage.deleteFile(resultsPathOf(jobId));
    this.#onStep?.('expire: results deleted');
    await this.#storage.deleteFile(job.inputPath);
    this.#onStep?.('expire: input deleted');
    this.#log.info({ job_id: jobId }, 'files deleted');
    return { jobId, deletedAt };
  }

  /** True while a job of this id is being accepted. */
  isAdmitting(jobId: JobId): boolean {
    return this.#admitting.has(jobId);
  }

  /**
   * Makes the row of a job that the database does not know from its sidecar; the job is not queued.
   * What is left of its history is SUBMIT and, when it has ended, START and how it ended: its attempts count from 1 again.
   */
  async restore(sidecar: Sidecar): Promise<Job> {
    const { job_id: jobId, pipeline_id: pipelineId, options, input_path: inputPath, accepted_at: createdAt } = sidecar;
    const { draft, first } = this.#begin({ jobId, pipelineId, options, inputPath, createdAt });
    const { submission: kept } = sidecar;
    const submission =
      kept === null ? undefined : { owner: kept.owner, keySha256: kept.key_sha256, fingerprint: kept.fingerprint };
    const job = await this.#store.insert(draft, first, submission);
    this.#onStep?.('reconcile: row restored');
    this.#announce(job, first);
    return this.#conclude(job, sidecar);
  }

  /** Moves a job that the database takes for unfinished to the end that its sidecar tells of, if it tells of one. */
  async reconcile(jobId: JobId): Promise<void> {
    const sidecar = await readSidecar(this.#storage, jobId);
    if (sidecar === undefined || sidecar.outcome === null) return;
    const job = await this.get(jobId);
    if (!isFinal(job.status)) await this.#conclude(job, sidecar);
  }

  /** Brings a job's sidecar up to its row. A disk that refuses is no reason to undo what is committed: the next start tries again. */
  rewriteSidecar(job: Job): Promise<void> {
    return this.#rewriting.take(job.jobId, async () => {
      try {
        // The key that a job was submitted with is not in its row.
        const { submission = null } = (await readSidecar(this.#storage, job.jobId)) ?? {};
        await writeSidecar(this.#storage, job, submission);
      } catch (error) {
        this.#log.warn({ job_id: job.jobId, reason: messageOf(error) }, 'sidecar not rewritten');
      }
    });
  }

  /** Resolves when jobs can be accepted and read; rejects with the reason when not. */
  ready(): Promise<void> {
    return this.#store.ping();
  }

  /** @returns a function that ends the subscription */
  onTransition(listener: TransitionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A job's first row and first transition. */
  #begin(given: Pick<Job, 'jobId' | 'pipelineId' | 'options' | 'inputPath' | 'createdAt'>) {
    const [snapshot] = initialTransition(jobMachine, { maxAttempts: this.#maxAttempts });
    const draft = { ...given, revision: 1, expiredAt: null, ...columnsOf(snapshot, given.createdAt) };
    return { draft, first: transitionOf(draft, null, 'SUBMIT', snapshot) };
  }

  /** The video and its sidecar at once: they share the fsync of their folder. Neither is left in flight when one fails. */
  async #storeFiles(
    draft: Omit<Job, 'acceptedSeq'>,
    uploadPath: string,
    submission: SubmissionKey | undefined,
  ): Promise<void> {
    const kept =
      submission === undefined
        ? null
        : { owner: submission.owner, key_sha256: submission.keySha256, fingerprint: submission.fingerprint };
    const stored = await Promise.allSettled([
      this.#storage.saveFile({ adopt: uploadPath }, draft.inputPath).then(() => this.#onStep?.('submit: video stored')),
      writeSidecar(this.#storage, draft, kept).then(() => this.#onStep?.('submit: sidecar stored')),
    ]);
    for (const result of stored) if (result.status === 'rejected') throw result.reason;
  }

  /** Compute, commit, tell; undefined when the row was no longer as it was read. `at` is ISO 8601 UTC. */
  async #advance(job: Job, event: JobEvent, at: string): Promise<Job | undefined> {
    const snapshot = restoreSnapshot(job);
    if (!snapshot.can(event)) {
      // A row that was kept may be behind the stored one; only the stored one can refuse.
      if (this.#recent.delete(job.jobId)) return undefined;
      throw new ServiceError(
        'job_conflict',
        `The job is ${job.status} (attempt ${job.attempt}): it takes no ${event.type}`,
      );
    }
    const [next] = transition(jobMachine, snapshot, event);
    const changed: Job = { ...job, revision: job.revision + 1, ...columnsOf(next, at) };
    const step = transitionOf(changed, job.status, event.type, next);
    this.#onStep?.(`${event.type}: before commit`);
    if (!(await this.#store.save(changed, step))) {
      this.#recent.delete(job.jobId);
      this.#log.warn({ job_id: job.jobId, event: event.type, revision: changed.revision }, 'stale write refused');
      return undefined;
    }
    this.#onStep?.(`${event.type}: committed`);
    this.#keep(changed);
    this.#announce(changed, step);
    return changed;
  }

  /** Ends a job as its sidecar says, by the machine's own events and at the time of then. */
  async #conclude(job: Job, { outcome, expired_at: expiredAt }: Sidecar): Promise<Job> {
    if (outcome === null) return job;
    const { ended_at: at, error_code: code, error_message: message, output_path: outputPath } = outcome;
    let ended: Job | undefined;
    if (job.status === 'pending' && outcome.attempt === 0) {
      ended = await this.#advance(job, { type: 'CANCEL' }, at);
    } else {
      const running = job.status === 'pending' ? await this.#advance(job, { type: 'START' }, at) : job;
      const attempt = running?.attempt ?? 0;
      const end: JobEvent =
        outputPath === null
          ? { type: 'FAIL', attempt, code: code ?? 'internal', message: message ?? 'the reason is lost' }
          : { type: 'COMPLETE', attempt, outputPath };
      ended = running && (await this.#advance(running, end, at));
    }
    if (ended !== undefined && expiredAt !== null) await this.#store.expire({ ...ended, expiredAt });
    this.#log.warn({ job_id: job.jobId, status: outcome.status }, 'ended as its sidecar says');
    return this.get(job.jobId);
  }

  #keep(job: Job): void {
    this.#recent.delete(job.jobId);
    if (isFinal(job.status)) return;
    this.#recent.set(job.jobId, job);
    const [oldest] = this.#recent.size > RECENT_ROWS ? this.#recent.keys() : [];
    if (oldest !== undefined) this.#recent.delete(oldest);
  }

  #announce(job: Job, step: JobTransition): void {
    if (step.fromState === 'pending') this.#waiting -= 1;
    if (step.toState === 'pending') this.#waiting += 1;
    this.#log.info(
      {
        job_id: job.jobId,
        seq: step.seq,
        attempt: step.attempt,
        from: step.fromState,
        event: step.event,
        to: step.toState,
        ...(job.errorCode === null ? {} : { error_code: job.errorCode, error_message: job.errorMessage }),
      },
      'transition',
    );
    for (const listener of this.#listeners) listener(job, step);
  }
}
