import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { z } from 'zod';
import { jobStatusSchema, type Job, type JobId, type JobStatus, type JobTransition } from '../job.ts';
import { endedBefore, findSubmission, pendingIds, standingsOf } from './file-reader.ts';
import type { JobFilter, JobStanding, SubmissionKey } from './job-store.ts';
import { JOB_COLUMNS, TRANSITION_COLUMNS, parseJob, parseTransition } from './rows.ts';
import { uuidValue } from './table-statement.ts';

const JOB = Object.keys(JOB_COLUMNS).join();
const TRANSITION = Object.keys(TRANSITION_COLUMNS).join();

const countSchema = z.object({ status: jobStatusSchema, jobs: z.bigint().transform(Number) });

/** Reads over one connection, one statement at a time: each running statement holds a thread of libuv's small pool. */
export class JobReader {
  readonly #connection: DuckDBConnection;
  readonly #one: DuckDBPreparedStatement;
  readonly #pageEnd: DuckDBPreparedStatement;
  readonly #page: DuckDBPreparedStatement;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    connection: DuckDBConnection,
    statements: {
      readonly one: DuckDBPreparedStatement;
      readonly pageEnd: DuckDBPreparedStatement;
      readonly page: DuckDBPreparedStatement;
    },
  ) {
    this.#connection = connection;
    this.#one = statements.one;
    this.#pageEnd = statements.pageEnd;
    this.#page = statements.page;
  }

  static async open(connection: DuckDBConnection): Promise<JobReader> {
    const ofStatus = 'FROM jobs WHERE status = $1::VARCHAR AND accepted_seq > $2::BIGINT';
    return new JobReader(connection, {
      one: await connection.prepare(`SELECT ${JOB} FROM jobs WHERE job_id = $1::UUID`),
      pageEnd: await connection.prepare(
        `SELECT coalesce(max(accepted_seq), 0) FROM (SELECT accepted_seq ${ofStatus} ORDER BY accepted_seq LIMIT $3::BIGINT)`,
      ),
      page: await connection.prepare(`SELECT ${JOB} ${ofStatus} AND accepted_seq <= $3::BIGINT ORDER BY accepted_seq`),
    });
  }

  /** The jobs with these ids, in their order; null for an unknown one. One statement for all. */
  async jobs(ids: readonly JobId[]): Promise<readonly (Job | null)[]> {
    const distinct = [...new Set(ids)];
    const stored = await this.#alone(async () => {
      const [first] = distinct;
      if (first !== undefined && distinct.length === 1) {
        this.#one.bindUUID(1, uuidValue(first));
        return (await this.#one.runAndReadAll()).getRowObjectsJS();
      }
      // Literals, and no list parameter: DuckDB skips the parts of the table that can hold none of a list of constants.
      const list = distinct.map((id) => `'${uuidValue(id).toString()}'::UUID`).join();
      return (
        await this.#connection.runAndReadAll(`SELECT ${JOB} FROM jobs WHERE job_id IN (${list})`)
      ).getRowObjectsJS();
    });
    const found = new Map(stored.map((row) => parseJob(row)).map((job) => [job.jobId, job]));
    return ids.map((id) => found.get(id) ?? null);
  }

  async transitionsOf(jobId: JobId): Promise<readonly JobTransition[]> {
    const stored = await this.#alone(() =>
      this.#connection.runAndReadAll(`SELECT ${TRANSITION} FROM job_transitions WHERE job_id = $1 ORDER BY seq`, [
        uuidValue(jobId),
      ]),
    );
    return stored.getRowObjectsJS().map((row) => parseTransition(row));
  }

  /** Finds the end of the page by two narrow columns first: sorting whole rows would read all that are left for each page. */
  async page(status: JobStatus, afterSeq: number, limit: number): Promise<readonly Job[]> {
    const stored = await this.#alone(async () => {
      bindPage(this.#pageEnd, status, afterSeq, BigInt(limit));
      const end = (await this.#pageEnd.runAndReadAll()).getRowsJS()[0]?.[0];
      if (typeof end !== 'bigint' || end === 0n) return [];
      bindPage(this.#page, status, afterSeq, end);
      return (await this.#page.runAndReadAll()).getRowObjectsJS();
    });
    return stored.map((row) => parseJob(row));
  }

  pendingIds(afterSeq: number, limit: number): Promise<readonly Pick<Job, 'jobId' | 'acceptedSeq'>[]> {
    return this.#alone(() => pendingIds(this.#connection, afterSeq, limit));
  }

  standingsOf(jobIds: readonly JobId[]): Promise<ReadonlyMap<JobId, JobStanding>> {
    return this.#alone(() => standingsOf(this.#connection, jobIds));
  }

  submission(key: Pick<SubmissionKey, 'owner' | 'keySha256'>, since: string) {
    return this.#alone(() => findSubmission(this.#connection, key, since));
  }

  endedBefore(time: string, limit: number): Promise<readonly JobId[]> {
    return this.#alone(() => endedBefore(this.#connection, time, limit));
  }

  async lastEnded(limit: number): Promise<readonly Job[]> {
    const stored = await this.#alone(() =>
      this.#connection.runAndReadAll(
        `SELECT ${JOB} FROM jobs WHERE status IN ('completed', 'failed') ORDER BY updated_at DESC LIMIT $1`,
        [BigInt(limit)],
      ),
    );
    return stored.getRowObjectsJS().map((row) => parseJob(row));
  }

  async newest({ status, pipelineId, beforeSeq }: JobFilter, limit: number): Promise<readonly Job[]> {
    const given = [
      { condition: 'status = ', value: status },
      { condition: 'pipeline_id = ', value: pipelineId },
      { condition: 'accepted_seq < ', value: beforeSeq === undefined ? undefined : BigInt(beforeSeq) },
    ].flatMap(({ condition, value }) => (value === undefined ? [] : [{ condition, value }]));
    const where = given.map(({ condition }, index) => `${condition}$${index + 1}`).join(' AND ');
    const stored = await this.#alone(() =>
      this.#connection.runAndReadAll(
        `SELECT ${JOB} FROM jobs ${where === '' ? '' : `WHERE ${where}`} ORDER BY accepted_seq DESC LIMIT ${limit}`,
        given.map(({ value }) => value),
      ),
    );
    return stored.getRowObjectsJS().map((row) => parseJob(row));
  }

  async countByStatus(): Promise<Readonly<Record<JobStatus, number>>> {
    const stored = await this.#alone(() =>
      this.#connection.runAndReadAll('SELECT status, count(*) AS jobs FROM jobs GROUP BY status'),
    );
    const counts: Record<JobStatus, number> = { pending: 0, running: 0, completed: 0, failed: 0 };
    for (const row of stored.getRowObjectsJS()) {
      const { status, jobs } = countSchema.parse(row);
      counts[status] = jobs;
    }
    return counts;
  }

  async ping(): Promise<void> {
    await this.#alone(() => this.#connection.run('SELECT 1'));
  }

  #alone<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#last.then(read);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function bindPage(statement: DuckDBPreparedStatement, status: JobStatus, afterSeq: number, third: bigint): void {
  statement.bindVarchar(1, status);
  statement.bindBigInt(2, BigInt(afterSeq));
  statement.bindBigInt(3, third);
}
