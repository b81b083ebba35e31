import type { DuckDBConnection } from '@duckdb/node-api';
import type { Job, JobTransition } from '../job.ts';
import { CHANGING_COLUMNS, JOB_COLUMNS, TRANSITION_COLUMNS, jobRow, transitionRow } from './rows.ts';
import { TableStatement } from './table-statement.ts';

export type JobWrite =
  | { readonly kind: 'insert'; readonly job: Omit<Job, 'acceptedSeq'>; readonly transition: JobTransition }
  | { readonly kind: 'save'; readonly job: Job; readonly transition: JobTransition };

/** The database refused a row: the fault of that row, and not of its neighbours in the batch. */
export class RowRefusedError extends Error {
  override readonly name = 'RowRefusedError';
}

/** Writes batches of jobs, each batch one transaction. Callers see to it that batches never overlap. */
export class JobWriter {
  readonly #connection: DuckDBConnection;
  readonly #insertJobs: TableStatement<typeof JOB_COLUMNS>;
  readonly #updateJobs: TableStatement<{ readonly job_id: 'UUID' } & typeof CHANGING_COLUMNS>;
  readonly #insertTransitions: TableStatement<typeof TRANSITION_COLUMNS>;
  #lastSeq: number;

  private constructor(
    connection: DuckDBConnection,
    statements: {
      readonly insertJobs: TableStatement<typeof JOB_COLUMNS>;
      readonly updateJobs: TableStatement<{ readonly job_id: 'UUID' } & typeof CHANGING_COLUMNS>;
      readonly insertTransitions: TableStatement<typeof TRANSITION_COLUMNS>;
    },
    lastSeq: number,
  ) {
    this.#connection = connection;
    this.#insertJobs = statements.insertJobs;
    this.#updateJobs = statements.updateJobs;
    this.#insertTransitions = statements.insertTransitions;
    this.#lastSeq = lastSeq;
  }

  static async open(connection: DuckDBConnection): Promise<JobWriter> {
    const last = await connection.runAndReadAll('SELECT coalesce(max(accepted_seq), 0) FROM jobs');
    return new JobWriter(
      connection,
      {
        insertJobs: await TableStatement.insert(connection, 'jobs', JOB_COLUMNS),
        updateJobs: await TableStatement.update(connection, 'jobs', CHANGING_COLUMNS),
        insertTransitions: await TableStatement.insert(connection, 'job_transitions', TRANSITION_COLUMNS),
      },
      Number(last.getRows()[0]?.[0]),
    );
  }

  /**
   * Commits the batch; for each write the job as it is stored now, or null where a `save` found another revision.
   * Throws when nothing was written: `RowRefusedError` when a row was at fault.
   */
  async commit(writes: readonly JobWrite[]): Promise<readonly (Job | null)[]> {
    let seq = this.#lastSeq;
    const jobs = writes.map((write): Job =>
      write.kind === 'insert' ? { ...write.job, acceptedSeq: ++seq } : write.job,
    );
    await this.#connection.run('BEGIN');
    try {
      const written = await this.#write(writes, jobs);
      await this.#connection.run('COMMIT');
      this.#lastSeq = seq;
      return jobs.map((job) => (written.has(job.jobId) ? job : null));
    } catch (error) {
      // Fails where the transaction is gone already, as after a failed COMMIT.
      await this.#connection.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  close(): void {
    this.#insertJobs.close();
    this.#updateJobs.close();
    this.#insertTransitions.close();
  }

  async #write(writes: readonly JobWrite[], jobs: readonly Job[]): Promise<ReadonlySet<string>> {
    try {
      const rows = jobs.map(jobRow);
      const inserted = rows.filter((_, index) => writes[index]?.kind === 'insert');
      const saved = rows.filter((_, index) => writes[index]?.kind === 'save');
      await this.#insertJobs.run(inserted);
      const written = new Set([...inserted.map((row) => String(row.job_id)), ...(await this.#updateJobs.run(saved))]);
      await this.#insertTransitions.run(
        writes.filter((write) => written.has(write.job.jobId)).map((write) => transitionRow(write.transition)),
      );
      return written;
    } catch (cause) {
      throw new RowRefusedError('a statement of the batch failed', { cause });
    }
  }
}
