import { initialTransition, transition } from 'xstate';
import { jobMachine, type JobEvent, type JobSnapshot } from '../../machines/job.ts';
import { ServiceError } from '../errors.ts';
import { mediaFactsSchema, type Job, type JobId, type JobTransition } from '../job.ts';
import type { Log } from '../log.ts';
import type { JobStore, SubmissionKey } from '../store/job-store.ts';
import { columnsOf, isFinal, transitionOf } from './job-change.ts';
import { restoreSnapshot, SNAPSHOT_FORMAT, type SnapshotFormat } from './snapshot.ts';
import type { StepListener } from './step.ts';

/** Rows kept from their last commit, so that a job in hand is not read back before each of its events. */
const RECENT_ROWS = 1_024;

export interface JobStepsOptions {
  readonly store: JobStore;
  /** Attempts that a job may lose before it is given up. */
  readonly maxAttempts: number;
  readonly log: Log;
  readonly onStep?: StepListener | undefined;
  readonly format?: SnapshotFormat;
}

/** What a client decides about a job. */
export type NewJob = Pick<Job, 'jobId' | 'pipelineId' | 'options' | 'inputPath' | 'createdAt' | 'fileName' | 'tag'>;

/** A job that is not committed yet, and the transition that makes it. */
export interface Beginning {
  readonly draft: Omit<Job, 'acceptedSeq'>;
  readonly first: JobTransition;
}

/** Told of every transition after its commit. Must not throw. */
export type TransitionListener = (job: Job, transition: JobTransition) => void;

/** The steps of jobs: each is computed, committed and told of, in this order and nowhere else. */
export class JobSteps {
  readonly #store: JobStore;
  readonly #maxAttempts: number;
  readonly #log: Log;
  readonly #onStep: StepListener | undefined;
  readonly #format: SnapshotFormat;
  readonly #listeners = new Set<TransitionListener>();
  /** The latest committed rows of jobs that have not ended. A stale one harms nothing: every write is guarded by its revision. */
  readonly #recent = new Map<JobId, Job>();
  #waiting = 0;

  constructor({ store, maxAttempts, log, onStep, format = SNAPSHOT_FORMAT }: JobStepsOptions) {
    this.#store = store;
    this.#maxAttempts = maxAttempts;
    this.#log = log;
    this.#onStep = onStep;
    this.#format = format;
  }

  /** Number of pending rows. The queue's length is no measure of it: it still holds the ids of jobs cancelled while they waited. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Tells how many rows were found pending at the start, before the first step; from here on they are counted. */
  countWaiting(found: number): void {
    this.#waiting = found;
  }

  /** The job as committed. Rejects with `job_not_found`. */
  async get(jobId: JobId): Promise<Job> {
    const job = await this.#store.get(jobId);
    if (job === undefined) throw new ServiceError('job_not_found', `There is no job ${jobId}`);
    return job;
  }

  /** The job as this process lately committed it; undefined when it did not, or the job has ended. */
  recent(jobId: JobId): Job | undefined {
    return this.#recent.get(jobId);
  }

  /** Computes a job's first row and first transition. */
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

  /** Commits a job's first row. Rejects with `store_unavailable`; then there is none. */
  commit({ draft, first }: Beginning, submission: SubmissionKey | undefined): Promise<Job> {
    return this.#store.insert(draft, first, submission);
  }

  /** Tells of a job whose first row is committed. */
  tell(job: Job, { first }: Beginning): void {
    this.#keep(job);
    this.#announce(job, first);
  }

  /**
   * Moves a job on by one event, at a time in ISO 8601 UTC. Resolves with undefined, and nothing changed, when the row
   * is no longer as it was read; rejects with `job_conflict` when the job's state refuses the event.
   */
  async advance(job: Job, event: JobEvent, at: string): Promise<Job | undefined> {
    const snapshot = this.restore(job);
    if (!snapshot.can(event)) {
      // A row that was kept may be behind the stored one; only the stored one can refuse.
      if (this.#recent.delete(job.jobId)) return undefined;
      throw new ServiceError(
        'job_conflict',
        `The job is ${job.status} (attempt ${job.attempt}): it takes no ${event.type}`,
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

  /** The job's machine. What limits its attempts is the present setting, not the one of its submission. */
  restore(job: Job): JobSnapshot {
    const { value, context } = restoreSnapshot(job, this.#format);
    return jobMachine.resolveState({ value, context: { ...context, maxAttempts: this.#maxAttempts } });
  }

  /**
   * Fails a job for which no event can be computed or committed, because its row or snapshot cannot be read or its next
   * row cannot be written. Does nothing to one that has ended. What was in the row is logged.
   */
  async condemn(jobId: JobId, reason: unknown): Promise<void> {
    const isUnwritable = reason instanceof ServiceError && reason.code === 'job_unwritable';
    const errorMessage = isUnwritable
      ? 'the database refuses what is to be stored of this job; the log has the details'
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
    this.#log.error({ job_id: jobId, ...condemned.before }, 'the row before it was failed');
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
