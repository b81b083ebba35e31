import { initialTransition, transition } from 'xstate';
import { jobMachine, type JobEvent, type JobSnapshot } from '../../machines/job.ts';
import { ServiceError } from '../errors.ts';
import { mediaFactsSchema, type Job, type JobId, type JobTransition } from '../job.ts';
import type { Log } from '../log.ts';
import type { JobStore, SubmissionKey } from '../store/job-store.ts';
import { columnsOf, isFinal, transitionOf } from './job-change.ts';
import { restoreSnapshot, SNAPSHOT_FORMAT, type SnapshotFormat } from './snapshot.ts';
import type { StepListener } from './step.ts';

/** Number of cached rows, so that a running job is not read before each of its events. */
const RECENT_ROWS = 1_024;

export interface JobStepsOptions {
  readonly store: JobStore;
  /** Lost attempts after which a job fails. */
  readonly maxAttempts: number;
  readonly log: Log;
  readonly onStep?: StepListener | undefined;
  readonly format?: SnapshotFormat;
}

/** The client's part of a job. */
export type NewJob = Pick<Job, 'jobId' | 'pipelineId' | 'options' | 'inputPath' | 'createdAt' | 'fileName' | 'tag'>;

/** A new job and its first transition, not committed yet. */
export interface Beginning {
  readonly draft: Omit<Job, 'acceptedSeq'>;
  readonly first: JobTransition;
}

/** Called for every transition after its commit. Must not throw. */
export type TransitionListener = (job: Job, transition: JobTransition) => void;

/** Computes, commits and announces every transition, in this order. The only place that does. */
export class JobSteps {
  readonly #store: JobStore;
  readonly #maxAttempts: number;
  readonly #log: Log;
  readonly #onStep: StepListener | undefined;
  readonly #format: SnapshotFormat;
  readonly #listeners = new Set<TransitionListener>();
  /**
   * The latest committed rows of unfinished jobs. A stale row is harmless, because every write is guarded by its
   * revision.
   */
  readonly #recent = new Map<JobId, Job>();
  #waiting = 0;

  constructor({ store, maxAttempts, log, onStep, format = SNAPSHOT_FORMAT }: JobStepsOptions) {
    this.#store = store;
    this.#maxAttempts = maxAttempts;
    this.#log = log;
    this.#onStep = onStep;
    this.#format = format;
  }

  /** Number of pending rows. The length of the queue differs, because it still holds ids of cancelled jobs. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Sets the number of pending rows at start, before the first transition. */
  countWaiting(found: number): void {
    this.#waiting = found;
  }

  /** Returns the committed job. Rejects with `job_not_found`. */
  async get(jobId: JobId): Promise<Job> {
    const job = await this.#store.get(jobId);
    if (job === undefined) throw new ServiceError('job_not_found', `There is no job ${jobId}`);
    return job;
  }

  /** Returns the job as this process last committed it; undefined if it did not, or the job has ended. */
  recent(jobId: JobId): Job | undefined {
    return this.#recent.get(jobId);
  }

  /** Computes the first row and transition of a job. */
  begin(given: NewJob): Beginning {
    const [snapshot] = initialTransition(jobMachine, { maxAttempts: this.#maxAttempts });
    const draft = {
      ...given,
      revision: 1,
      expiredAt: null,
      media: null,
      ...this.#columnsOf(snapshot, given.createdAt),
    };
    return { draft, first: transitionOf(draft, null, 'SUBMIT', snapshot) };
  }

  /** Commits the first row of a job. Rejects with `store_unavailable`; then there is none. */
  commit({ draft, first }: Beginning, submission: SubmissionKey | undefined): Promise<Job> {
    return this.#store.insert(draft, first, submission);
  }

  /** Announces a job whose first row is committed. */
  tell(job: Job, { first }: Beginning): void {
    this.#keep(job);
    this.#announce(job, first);
  }

  /**
   * Applies an event to a job at a time (ISO 8601 UTC). Resolves with undefined and changes nothing if the row has
   * changed since it was read. Rejects with `job_conflict` if the state does not accept the event.
   */
  async advance(job: Job, event: JobEvent, at: string): Promise<Job | undefined> {
    const snapshot = this.restore(job);
    if (!snapshot.can(event)) {
      // A cached row may be stale; only the stored one can reject an event.
      if (this.#recent.delete(job.jobId)) return undefined;
      throw new ServiceError(
        'job_conflict',
        `The job is ${job.status} (attempt ${job.attempt}): it does not accept ${event.type}`,
      );
    }
    const [next] = transition(jobMachine, snapshot, event);
    const media =
      event.type === 'COMPLETE' && event.media !== undefined ? mediaFactsSchema.parse(event.media) : job.media;
    const changed: Job = { ...job, media, revision: job.revision + 1, ...this.#columnsOf(next, at) };
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

  /** Returns the job's machine with the current limit of attempts, not the one at submission. */
  restore(job: Job): JobSnapshot {
    const { value, context } = restoreSnapshot(job, this.#format);
    return jobMachine.resolveState({ value, context: { ...context, maxAttempts: this.#maxAttempts } });
  }

  /**
   * Fails a job whose row or snapshot cannot be read or whose next row cannot be written. Does nothing if it has ended.
   * Logs the content of the row.
   */
  async condemn(jobId: JobId, reason: unknown): Promise<void> {
    const isUnwritable = reason instanceof ServiceError && reason.code === 'job_unwritable';
    const errorMessage = isUnwritable
      ? 'the database rejects the data of this job; the log has the details'
      : 'what the database has of this job cannot be read; the log has the details';
    const context = { attempt: 0, interruptions: 0, maxAttempts: this.#maxAttempts, outputPath: null };
    const snapshot = jobMachine.resolveState({
      value: 'failed',
      context: { ...context, errorCode: 'internal', errorMessage },
    });
    const { outputPath: _, attempt: __, ...columns } = this.#columnsOf(snapshot, new Date().toISOString());
    this.#recent.delete(jobId);
    const condemned = await this.#store.condemn({ jobId, ...columns, context: JSON.stringify(snapshot.context) });
    if (condemned === undefined) return;
    this.#log.error({ job_id: jobId, ...condemned.before }, 'content of the row before it was set to failed');
    this.#announce(await this.get(jobId), condemned.transition);
  }

  #columnsOf(snapshot: JobSnapshot, updatedAt: string) {
    return columnsOf(snapshot, updatedAt, this.#format.version);
  }

  /** @returns a function that ends the subscription */
  onTransition(listener: TransitionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
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
