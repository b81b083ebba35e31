import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import type { Job, JobTransition } from '../job.ts';
import type { SubmissionKey } from './job-store.ts';
import {
  CHANGING_COLUMNS,
  JOB_COLUMNS,
  SUBMISSION_COLUMNS,
  TRANSITION_COLUMNS,
  jobRow,
  submissionRow,
  transitionRow,
} from './rows.ts';
import { TableStatement, rowsFromJson } from './table-statement.ts';

export type JobWrite =
  | {
      readonly kind: 'insert';
      readonly job: Omit<Job, 'acceptedSeq'>;
      readonly transition: JobTransition;
      readonly submission?: SubmissionKey | undefined;
    }
  | { readonly kind: 'save'; readonly job: Job; readonly transition: JobTransition }
  | { readonly kind: 'expire'; readonly job: Job; readonly transition: null };

/** A write whose place in the order of acceptance is known. */
interface NumberedWrite {
  readonly kind: JobWrite['kind'];
  readonly job: Job;
  /** Null for a write that is no step of the job's machine. */
  readonly transition: JobTransition | null;
  readonly submission?: SubmissionKey | undefined;
}

/** A statement refused the rows of the batch; which row is at fault is not known. */
export class BatchRefusedError extends Error {
  override readonly name = 'BatchRefusedError';
}

interface Statements {
  readonly begin: DuckDBPreparedStatement;
  readonly commit: DuckDBPreparedStatement;
  readonly rollback: DuckDBPreparedStatement;
  readonly insertJobs: TableStatement<typeof JOB_COLUMNS>;
  readonly updateJobs: TableStatement<{ readonly job_id: 'UUID' } & typeof CHANGING_COLUMNS>;
  readonly insertTransitions: TableStatement<typeof TRANSITION_COLUMNS>;
  readonly insertSubmissions: TableStatement<typeof SUBMISSION_COLUMNS>;
  /** Sets the `expired_at` of the rows in parameter 1 where there is none. */
  readonly expireJobs: DuckDBPreparedStatement;
  /** The ids of those rows in parameter 1 whose stored revision is the one before theirs. */
  readonly selectCurrent: DuckDBPreparedStatement;
}

/** Writes batches of jobs, each batch one transaction on one connection. Batches must not overlap. */
export class JobWriter {
  readonly #statements: Statements;
  #lastSeq: number;

  private constructor(statements: Statements, lastSeq: number) {
    this.#statements = statements;
    this.#lastSeq = lastSeq;
  }

  static async open(connection: DuckDBConnection): Promise<JobWriter> {
    const last = await connection.runAndReadAll('SELECT coalesce(max(accepted_seq), 0) FROM jobs');
    const statements = {
      begin: await connection.prepare('BEGIN'),
      commit: await connection.prepare('COMMIT'),
      rollback: await connection.prepare('ROLLBACK'),
      insertJobs: await TableStatement.insert(connection, 'jobs', JOB_COLUMNS),
      updateJobs: await TableStatement.update(connection, 'jobs', CHANGING_COLUMNS),
      insertTransitions: await TableStatement.insert(connection, 'job_transitions', TRANSITION_COLUMNS),
      insertSubmissions: await TableStatement.insert(connection, 'idempotency_keys', SUBMISSION_COLUMNS),
      expireJobs: await connection.prepare(
        `UPDATE jobs SET expired_at = next.expired_at
         FROM (${rowsFromJson({ job_id: 'UUID', expired_at: 'TIMESTAMP' })}) next
         WHERE jobs.job_id = next.job_id AND jobs.expired_at IS NULL`,
      ),
      selectCurrent: await connection.prepare(
        `SELECT jobs.job_id FROM jobs, (${rowsFromJson({ job_id: 'UUID', revision: 'INTEGER' })}) next
         WHERE jobs.job_id = next.job_id AND jobs.revision = next.revision - 1`,
      ),
    };
    return new JobWriter(statements, Number(last.getRows()[0]?.[0]));
  }

  /**
   * Commits the batch: for each write the job as it is stored now, or null where a `save` found another revision.
   * No two writes may be of one job. When it throws nothing was written; `BatchRefusedError`: a row was at fault.
   */
  async commit(writes: readonly JobWrite[]): Promise<readonly (Job | null)[]> {
    let seq = this.#lastSeq;
    const batch = writes.map((write): NumberedWrite =>
      write.kind === 'insert' ? { ...write, job: { ...write.job, acceptedSeq: ++seq } } : write,
    );
    let written: readonly NumberedWrite[] = batch;
    if (!(await this.#tryCommit(batch))) {
      written = await this.#withoutStale(batch);
      if (!(await this.#tryCommit(written))) throw new Error('a revision changed under the only writer');
    }
    this.#lastSeq = seq;
    const stored = new Set(written);
    return batch.map((write) => (stored.has(write) ? write.job : null));
  }

  /**
   * False, and nothing written, when not every `save` found its revision. Which one did not is asked only then:
   * an UPDATE with RETURNING reads all columns and takes a third longer.
   */
  async #tryCommit(batch: readonly NumberedWrite[]): Promise<boolean> {
    const { begin, commit, rollback } = this.#statements;
    if (batch.length === 0) return true;
    await begin.run();
    try {
      const complete = await this.#write(batch);
      await (complete ? commit : rollback).run();
      return complete;
    } catch (error) {
      // After a failed COMMIT there is nothing left to roll back.
      await rollback.run().catch(() => undefined);
      throw error;
    }
  }

  async #write(batch: readonly NumberedWrite[]): Promise<boolean> {
    const { insertJobs, updateJobs, insertTransitions, insertSubmissions, expireJobs } = this.#statements;
    const jobs = (kind: JobWrite['kind']) => batch.filter((write) => write.kind === kind).map(({ job }) => jobRow(job));
    try {
      await insertJobs.run(jobs('insert'));
      const saves = jobs('save');
      if ((await updateJobs.run(saves)) !== saves.length) return false;
      await insertTransitions.run(
        batch.flatMap(({ transition }) => (transition === null ? [] : transitionRow(transition))),
      );
      await insertSubmissions.run(
        batch.flatMap(({ submission, job }) => (submission === undefined ? [] : submissionRow(submission, job))),
      );
      const expired = jobs('expire');
      if (expired.length > 0) {
        expireJobs.bindVarchar(1, JSON.stringify(expired.map(({ job_id, expired_at }) => ({ job_id, expired_at }))));
        await expireJobs.run();
      }
      return true;
    } catch (cause) {
      throw new BatchRefusedError('a statement of the batch failed', { cause });
    }
  }

  async #withoutStale(batch: readonly NumberedWrite[]): Promise<readonly NumberedWrite[]> {
    const { selectCurrent } = this.#statements;
    const saves = batch
      .filter(({ kind }) => kind === 'save')
      .map(({ job: { jobId, revision } }) => ({ job_id: jobId, revision }));
    selectCurrent.bindVarchar(1, JSON.stringify(saves));
    const current = new Set((await selectCurrent.runAndReadAll()).getRows().map(([jobId]) => String(jobId)));
    return batch.filter(({ kind, job }) => kind !== 'save' || current.has(job.jobId));
  }
}
