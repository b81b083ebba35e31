import { initialTransition, transition } from 'xstate';
import { v7 as uuidv7 } from 'uuid';
import { JOB_MACHINE_VERSION, jobMachine, type JobEvent, type JobSnapshot } from '../../machines/job.ts';
import { ServiceError } from '../errors.ts';
import { jobIdSchema, type Job, type JobId, type JobOptions, type JobStatus, type JobTransition } from '../job.ts';
import type { Log } from '../log.ts';
import type { PipelineDescription, VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobFilter, JobStore } from '../store/job-store.ts';
import { persistSnapshot, restoreSnapshot } from './snapshot.ts';

export interface JobEngineOptions {
  readonly store: JobStore;
  readonly queue: QueueService;
  readonly storage: StorageService;
  readonly pipelines: VideoFilePipelineService;
  /** Attempts that a job may lose before it is given up. */
  readonly maxAttempts: number;
  readonly log: Log;
}

export interface SubmitRequest {
  /** A whole file in the storage's incoming folder; taken over when the job is accepted. */
  readonly uploadPath: string;
  readonly pipelineId: string;
  readonly options: JobOptions;
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
  readonly #log: Log;
  readonly #listeners = new Set<TransitionListener>();

  constructor({ store, queue, storage, pipelines, maxAttempts, log }: JobEngineOptions) {
    this.#store = store;
    this.#queue = queue;
    this.#storage = storage;
    this.#pipelines = pipelines;
    this.#maxAttempts = maxAttempts;
    this.#log = log;
  }

  /** The pipelines that a job may name. */
  pipelines(): readonly PipelineDescription[] {
    return this.#pipelines.list();
  }

  /**
   * Accepts a video: when this resolves the file is on disk under its job's name, the row is committed and the id is queued.
   * Rejects with `unknown_pipeline`, `storage_full` or `store_unavailable`; then there is no row and no stored file.
   */
  async submit({ uploadPath, pipelineId, options }: SubmitRequest): Promise<Job> {
    this.requirePipeline(pipelineId);
    const jobId = jobIdSchema.parse(uuidv7());
    const inputPath = await this.#storage.saveFile({ adopt: uploadPath }, `${jobId}.mp4`);
    const [snapshot] = initialTransition(jobMachine, { maxAttempts: this.#maxAttempts });
    const now = new Date().toISOString();
    const draft = { jobId, pipelineId, options, inputPath, revision: 1, createdAt: now, ...columnsOf(snapshot, now) };
    const first = transitionOf(draft, null, 'SUBMIT', snapshot);
    let job: Job;
    try {
      job = await this.#store.insert(draft, first);
    } catch (error) {
      await this.#storage.deleteFile(inputPath);
      throw error;
    }
    this.#act(job, first);
    return job;
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
      const job = await this.get(jobId);
      const snapshot = restoreSnapshot(job);
      if (!snapshot.can(event)) {
        throw new ServiceError(
          'job_conflict',
          `The job is ${job.status} (attempt ${job.attempt}): it takes no ${event.type}`,
        );
      }
      const [next] = transition(jobMachine, snapshot, event);
      const changed: Job = { ...job, revision: job.revision + 1, ...columnsOf(next, new Date().toISOString()) };
      const step = transitionOf(changed, job.status, event.type, next);
      // Somebody else moved the job between the read and the write: look again, from the start.
      if (!(await this.#store.save(changed, step))) continue;
      this.#act(changed, step);
      return changed;
    }
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

  /** The local path of a completed job's results. Rejects with `job_not_found` or `job_not_completed`. */
  async openResults(jobId: JobId): Promise<{ readonly path: string }> {
    const { status, outputPath } = await this.get(jobId);
    if (outputPath === null) {
      throw new ServiceError(
        'job_not_completed',
        `The job ${jobId} is ${status}; there are results when it is completed`,
      );
    }
    return { path: await this.#storage.loadFile(outputPath) };
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

  #act(job: Job, step: JobTransition): void {
    if (step.toState === 'pending') {
      if (step.fromState === null) this.#queue.enqueue(job.jobId);
      else this.#queue.requeue(job.jobId);
    }
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

/** The columns of a row that its snapshot decides. */
function columnsOf(snapshot: JobSnapshot, updatedAt: string) {
  const { attempt, outputPath, errorCode, errorMessage } = snapshot.context;
  return {
    status: snapshot.value,
    attempt,
    outputPath,
    errorCode,
    errorMessage,
    machineVersion: JOB_MACHINE_VERSION,
    snapshot: persistSnapshot(snapshot),
    updatedAt,
  };
}

function transitionOf(
  job: Omit<Job, 'acceptedSeq'>,
  fromState: JobTransition['fromState'],
  event: string,
  { context }: JobSnapshot,
): JobTransition {
  return {
    jobId: job.jobId,
    seq: job.revision,
    attempt: job.attempt,
    fromState,
    event,
    toState: job.status,
    context: JSON.stringify(context),
    occurredAt: job.updatedAt,
  };
}
