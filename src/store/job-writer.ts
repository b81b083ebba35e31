import type { DuckDBConnection } from '@duckdb/node-api';
import type { Job, JobId, JobTransition } from '../job.ts';
import { condemn } from './condemn.ts';
import type { Condemnation, Condemned, SubmissionKey } from './job-store.ts';
import { JobUpdate } from './job-update.ts';
import { RowInsert } from './row-insert.ts';
import { RowStatement } from './row-statement.ts';
import {
  END_COLUMNS,
  JOB_COLUMNS,
  STEP_COLUMNS,
  SUBMISSION_COLUMNS,
  TRANSITION_COLUMNS,
  jobRow,
  submissionRow,
  transitionRow,
  uuidValue,
  type Columns,
} from './rows.ts';

export type JobWrite =
  | {
      readonly kind: 'insert';
      readonly job: Omit<Job, 'acceptedSeq'>;
      readonly transition: JobTransition;
      readonly submission?: SubmissionKey | undefined;
    }
  | { readonly kind: 'save'; readonly job: Job; readonly transition: JobTransition }
  | { readonly kind: 'expire'; readonly job: Job; readonly transition: null };

/** A write with a known place in the order of acceptance. */
interface NumberedWrite {
  readonly kind: JobWrite['kind'];
  readonly job: Job;
  /** Null for a write without a transition. */
  readonly transition: JobTransition | null;
  readonly submission?: SubmissionKey | undefined;
}

/**
 * DuckDB's messages about a value that does not fit, which always occur again. They differ from those about a full
 * disk.
 */
const VALUE_ERRORS = /^(Constraint|Conversion|Invalid Input|Mismatch Type|Out of Range) Error/;

/** A statement rejected the batch; the row at fault is unknown. */
export class BatchRefusedError extends Error {
  override readonly name = 'BatchRefusedError';

  /** Returns true if a value of some row does not fit its column, so that the row can never be written. */
  get isFaultOfValue(): boolean {
    return this.cause instanceof Error && VALUE_ERRORS.test(this.cause.message);
  }
}

const EXPIRY_COLUMNS = { job_id: 'UUID', expired_at: 'TIMESTAMP' } as const satisfies Columns;
const REVISION_COLUMNS = { job_id: 'UUID', revision: 'INTEGER' } as const satisfies Columns;

interface Statements {
  readonly insertJobs: RowInsert<typeof JOB_COLUMNS>;
  readonly insertTransitions: RowInsert<typeof TRANSITION_COLUMNS>;
  readonly insertSubmissions: RowInsert<typeof SUBMISSION_COLUMNS>;
  /** Updates jobs that have not ended. */
  readonly moveJobs: JobUpdate<typeof STEP_COLUMNS>;
  /** Updates jobs, some of which end. */
  readonly endJobs: JobUpdate<typeof STEP_COLUMNS & typeof END_COLUMNS>;
  /** Sets `expired_at` where it is null. */
  readonly expireJobs: RowStatement<typeof EXPIRY_COLUMNS>;
  /** Returns the ids of rows whose stored revision is the previous one. */
  readonly selectCurrent: RowStatement<typeof REVISION_COLUMNS>;
}

/** Writes batches of jobs, each in one transaction on one connection. Batches must not overlap. */
export class JobWriter {
  readonly #connection: DuckDBConnection;
  readonly #statements: Statements;
  #lastSeq: number;

  private constructor(connection: DuckDBConnection, statements: Statements, lastSeq: number) {
    this.#connection = connection;
    this.#statements = statements;
    this.#lastSeq = lastSeq;
  }

  static async open(connection: DuckDBConnection): Promise<JobWriter> {
    const last = await connection.runAndReadAll('SELECT coalesce(max(accepted_seq), 0) FROM jobs');
    const statements = {
      insertJobs: await RowInsert.prepare(connection, 'jobs', JOB_COLUMNS),
      insertTransitions: await RowInsert.prepare(connection, 'job_transitions', TRANSITION_COLUMNS),
      insertSubmissions: await RowInsert.prepare(connection, 'idempotency_keys', SUBMISSION_COLUMNS),
      moveJobs: await JobUpdate.prepare(connection, STEP_COLUMNS),
      endJobs: await JobUpdate.prepare(connection, { ...STEP_COLUMNS, ...END_COLUMNS }),
      expireJobs: await RowStatement.prepare(
        connection,
        EXPIRY_COLUMNS,
        (source) =>
          `UPDATE jobs SET expired_at = next.expired_at FROM (${source}) next
           WHERE jobs.job_id = next.job_id AND jobs.expired_at IS NULL`,
      ),
      selectCurrent: await RowStatement.prepare(
        connection,
        REVISION_COLUMNS,
        (source) =>
          `SELECT jobs.job_id FROM jobs, (${source}) next
           WHERE jobs.job_id = next.job_id AND jobs.revision = next.revision - 1`,
      ),
    };
    return new JobWriter(connection, statements, Number(last.getRows()[0]?.[0]));
  }

  /** Deletes all rows of these jobs in a separate transaction. */
  async forget(jobIds: readonly JobId[]): Promise<void> {
    if (jobIds.length === 0) return;
    const list = jobIds.map((id) => `'${uuidValue(id).toString()}'::UUID`).join();
    const tables = ['job_transitions', 'idempotency_keys', 'jobs'];
    await this.#undone(async () => {
      const deletions = tables.map((table) => `DELETE FROM ${table} WHERE job_id IN (${list})`);
      await this.#connection.run(['BEGIN', ...deletions, 'COMMIT'].join(';'));
    });
  }

  /** Ends a job whose row cannot be read, in a separate transaction. */
  condemn(condemnation: Condemnation): Promise<Condemned | undefined> {
    return this.#undone(() => condemn(this.#connection, condemnation));
  }

  /**
   * Commits the batch. Returns for each write the stored job, or null if a `save` found another revision. No two writes
   * may concern one job. If it throws, nothing was written; `BatchRefusedError` means that a row was at fault.
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
   * Returns false and writes nothing if some `save` did not find its revision. Which one is queried only then, because
   * an UPDATE with RETURNING reads all columns and takes a third longer.
   */
  async #tryCommit(batch: readonly NumberedWrite[]): Promise<boolean> {
    if (batch.length === 0) return true;
    const { insertJobs, insertTransitions, insertSubmissions } = this.#statements;
    const jobs = (kind: JobWrite['kind']) => batch.filter((write) => write.kind === kind).map(({ job }) => jobRow(job));
    const transitions = batch.flatMap(({ transition }) => (transition === null ? [] : transitionRow(transition)));
    const submissions = batch.flatMap(({ submission, job }) =>
      submission === undefined ? [] : submissionRow(submission, job),
    );
    const inserts = [
      ...insertJobs.of(jobs('insert')),
      ...insertTransitions.of(transitions),
      ...insertSubmissions.of(submissions),
    ];
    const saves = jobs('save');
    const expired = jobs('expire');
    const isDoneByInserts = saves.length === 0 && expired.length === 0;
    return this.#undone(async () => {
      await this.#connection.run(['BEGIN', ...inserts, ...(isDoneByInserts ? ['COMMIT'] : [])].join(';'));
      if (isDoneByInserts) return true;
      const isComplete = (await this.#move(saves)) === saves.length;
      if (isComplete && expired.length > 0) await this.#statements.expireJobs.run(expired);
      await this.#connection.run(isComplete ? 'COMMIT' : 'ROLLBACK');
      return isComplete;
    });
  }

  /** Returns the number of changed rows. */
  async #move(rows: readonly ReturnType<typeof jobRow>[]): Promise<number> {
    if (rows.length === 0) return 0;
    const { moveJobs, endJobs } = this.#statements;
    const isEnd = rows.some((row) => row.output_path !== null || row.error_code !== null || row.error_message !== null);
    return (isEnd ? endJobs : moveJobs).run(rows);
  }

  /** Leaves no transaction open if `write` throws. */
  async #undone<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (cause) {
      const isOpen = await this.#connection.run('ROLLBACK').then(
        () => true,
        () => false,
      );
      // After a failed COMMIT there is nothing to roll back; before it, a row was rejected.
      throw isOpen ? new BatchRefusedError('a statement of the batch failed', { cause }) : cause;
    }
  }

  async #withoutStale(batch: readonly NumberedWrite[]): Promise<readonly NumberedWrite[]> {
    const { selectCurrent } = this.#statements;
    const saves = batch
      .filter(({ kind }) => kind === 'save')
      .map(({ job: { jobId, revision } }) => ({ job_id: jobId, revision }));
    const current = new Set((await selectCurrent.run(saves)).getRows().map(([jobId]) => String(jobId)));
    return batch.filter(({ kind, job }) => kind !== 'save' || current.has(job.jobId));
  }
}
