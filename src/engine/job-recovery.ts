import type { JobEvent } from '../../machines/job.ts';
import { ServiceError } from '../errors.ts';
import type { Job, JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobStore } from '../store/job-store.ts';
import { classify } from './classify-error.ts';
import { isFinal } from './job-change.ts';
import type { JobFiles } from './job-files.ts';
import type { JobSteps } from './job-steps.ts';
import type { RetryDelays } from './retry-delay.ts';
import { readSidecar, type Sidecar } from './sidecar.ts';
import type { StepListener } from './step.ts';

export interface JobRecoveryOptions {
  readonly steps: JobSteps;
  readonly files: JobFiles;
  /** Jobs being accepted: their files may exist before their rows. */
  readonly admitting: ReadonlySet<JobId>;
  readonly store: JobStore;
  readonly storage: StorageService;
  readonly log: Log;
  readonly onStep?: StepListener | undefined;
  readonly retryDelays: RetryDelays;
}

/**
 * Work on jobs at start and in the background, never on request. Uses the events of the job machine to bring jobs to
 * the outcome in their sidecars if the database has lost it.
 */
export class JobRecovery {
  readonly #steps: JobSteps;
  readonly #files: JobFiles;
  readonly #admitting: ReadonlySet<JobId>;
  readonly #store: JobStore;
  readonly #storage: StorageService;
  readonly #log: Log;
  readonly #onStep: StepListener | undefined;
  readonly #retryDelays: RetryDelays;

  constructor(options: JobRecoveryOptions) {
    const { steps, files, admitting, store, storage, log, onStep } = options;
    this.#steps = steps;
    this.#files = files;
    this.#admitting = admitting;
    this.#store = store;
    this.#storage = storage;
    this.#log = log;
    this.#onStep = onStep;
    this.#retryDelays = options.retryDelays;
  }

  /** Sets the number of pending jobs found at start, before any is accepted. */
  countWaiting(found: number): void {
    this.#steps.countWaiting(found);
  }

  /** Returns true while a job with this id is being accepted. */
  isAdmitting(jobId: JobId): boolean {
    return this.#admitting.has(jobId);
  }

  /** Rewrites the sidecar of a job. If the disk refuses, the next start retries. */
  rewriteSidecar(job: Job): Promise<void> {
    return this.#files.rewriteSidecar(job);
  }

  /**
   * Creates the row of a job missing in the database from its sidecar, without queueing it. Its history is SUBMIT and,
   * for an ended job, START and its end; attempts count from 1 again.
   */
  async restore(sidecar: Sidecar): Promise<Job> {
    const { job_id: jobId, pipeline_id: pipelineId, options, tag, input_path: inputPath } = sidecar;
    const { file_name: fileName, accepted_at: createdAt } = sidecar;
    const beginning = this.#steps.begin({ jobId, pipelineId, options, fileName, tag, inputPath, createdAt });
    const { submission: kept } = sidecar;
    const submission =
      kept === null ? undefined : { owner: kept.owner, keySha256: kept.key_sha256, fingerprint: kept.fingerprint };
    const job = await this.#steps.commit(beginning, submission);
    this.#onStep?.('reconcile: row restored');
    this.#steps.tell(job, beginning);
    return this.#conclude(job, sidecar);
  }

  /** See `JobEngine.setAside`. */
  async setAside(jobId: JobId, reason: unknown): Promise<void> {
    if (reason instanceof ServiceError && reason.code === 'schema_too_new') {
      this.#log.error({ job_id: jobId, reason: reason.message }, 'job of a newer version left unchanged');
      return;
    }
    this.#log.error({ job_id: jobId, err: reason }, 'job failed because its row cannot be read or written');
    try {
      await this.#steps.condemn(jobId, reason);
      await this.#files.rewriteSidecar(await this.#steps.get(jobId));
    } catch (error) {
      if (classify(error).kind === 'environment') throw error;
      this.#log.error({ job_id: jobId, err: error }, 'job cannot be failed and stays unchanged');
    }
  }

  /** Returns the milliseconds that a pending job must still wait since its last lost attempt. */
  async delayLeft(jobId: JobId, nowMs: number): Promise<number> {
    try {
      const job = await this.#steps.get(jobId);
      const delayMs = this.#retryDelays.afterLosses(this.#steps.restore(job).context.interruptions);
      // A clock that was set back must not prolong the wait.
      const waitedMs = Math.max(0, nowMs - Date.parse(job.updatedAt));
      return Math.max(0, delayMs - waitedMs);
    } catch (error) {
      if (classify(error).kind === 'environment') throw error;
      return 0; // a row that cannot be read is found by the worker that claims it
    }
  }

  /** Ends an unfinished job if its sidecar has an outcome. */
  async reconcile(jobId: JobId): Promise<void> {
    const sidecar = await readSidecar(this.#storage, jobId);
    if (sidecar === 'unreadable')
      this.#log.warn({ job_id: jobId }, 'sidecar cannot be read; the row is taken as it is');
    if (sidecar === 'unreadable' || sidecar === undefined || sidecar.outcome === null) return;
    const job = await this.#steps.get(jobId);
    if (!isFinal(job.status)) await this.#conclude(job, sidecar);
  }

  /** Ends a job with the outcome and time of its sidecar. */
  async #conclude(job: Job, { outcome, expired_at: expiredAt }: Sidecar): Promise<Job> {
    if (outcome === null) return job;
    const { ended_at: at, error_code: code, error_message: message, output_path: outputPath, media } = outcome;
    let ended: Job | undefined;
    if (job.status === 'pending' && outcome.attempt === 0) {
      ended = await this.#steps.advance(job, { type: 'CANCEL' }, at);
    } else {
      const running = job.status === 'pending' ? await this.#steps.advance(job, { type: 'START' }, at) : job;
      const attempt = running?.attempt ?? 0;
      const end: JobEvent =
        outputPath === null
          ? { type: 'FAIL', attempt, code: code ?? 'internal', message: message ?? 'the reason is lost' }
          : { type: 'COMPLETE', attempt, outputPath, ...(media === null ? {} : { media }) };
      ended = running && (await this.#steps.advance(running, end, at));
    }
    if (ended !== undefined && expiredAt !== null) await this.#store.expire({ ...ended, expiredAt });
    this.#log.warn({ job_id: job.jobId, status: outcome.status }, 'ended with the outcome of its sidecar');
    return this.#steps.get(job.jobId);
  }
}
