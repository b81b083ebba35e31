import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { z } from 'zod';
import {
  jobIdSchema,
  jobStatusSchema,
  type Job,
  type JobId,
  type JobSummary,
  type JobStatus,
  type JobTransition,
} from '../job.ts';
import { endsSince, latestTransitions } from './activity-reader.ts';
import { endedBefore, findSubmission, forgettable, placesIn, retentionStatesOf } from './file-reader.ts';
import type { JobEnds, JobFilter, JobPlace, JobRetentionState, SubmissionKey } from './job-store.ts';
import {
  JOB_COLUMNS,
  SUMMARY_COLUMNS,
  TRANSITION_COLUMNS,
  parseJob,
  parseSummary,
  parseTransition,
  uuidValue,
} from './rows.ts';

const JOB = Object.keys(JOB_COLUMNS).join();
const TRANSITION = Object.keys(TRANSITION_COLUMNS).join();

const idSchema = z.object({ job_id: jobIdSchema });
const seqSchema = z.object({ accepted_seq: z.bigint().transform(Number) });
const countSchema = z.object({ status: jobStatusSchema, jobs: z.bigint().transform(Number) });

/** Called for an unreadable row that is omitted. The id is undefined if it cannot be read either. */
export type UnreadableListener = (jobId: JobId | undefined, error: unknown) => void;

/**
 * Reads over one connection, one statement at a time, because each running statement blocks a thread of libuv's small
 * pool.
 */
export class JobReader {
  readonly #connection: DuckDBConnection;
  readonly #one: DuckDBPreparedStatement;
  readonly #oneSummary: DuckDBPreparedStatement;
  readonly #pageEnd: DuckDBPreparedStatement;
  readonly #page: DuckDBPreparedStatement;
  readonly #onUnreadable: UnreadableListener;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    connection: DuckDBConnection,
    onUnreadable: UnreadableListener,
    statements: {
      readonly one: DuckDBPreparedStatement;
      readonly oneSummary: DuckDBPreparedStatement;
      readonly pageEnd: DuckDBPreparedStatement;
      readonly page: DuckDBPreparedStatement;
    },
  ) {
    this.#connection = connection;
    this.#onUnreadable = onUnreadable;
    this.#one = statements.one;
    this.#oneSummary = statements.oneSummary;
    this.#pageEnd = statements.pageEnd;
    this.#page = statements.page;
  }

  static async open(connection: DuckDBConnection, onUnreadable: UnreadableListener = () => {}): Promise<JobReader> {
    const ofStatus = 'FROM jobs WHERE status = $1::VARCHAR AND accepted_seq > $2::BIGINT';
    return new JobReader(connection, onUnreadable, {
      one: await connection.prepare(`SELECT ${JOB} FROM jobs WHERE job_id = $1::UUID`),
      oneSummary: await connection.prepare(`SELECT ${SUMMARY_COLUMNS} FROM jobs WHERE job_id = $1::UUID`),
      pageEnd: await connection.prepare(
        `SELECT coalesce(max(accepted_seq), 0) FROM (SELECT accepted_seq ${ofStatus} ORDER BY accepted_seq LIMIT $3::BIGINT)`,
      ),
      page: await connection.prepare(`SELECT ${JOB} ${ofStatus} AND accepted_seq <= $3::BIGINT ORDER BY accepted_seq`),
    });
  }

  /** Returns the jobs with these ids in the same order, null for unknown ones. Uses one statement. */
  async jobs(ids: readonly JobId[]): Promise<readonly (Job | null)[]> {
    const stored = await this.#rowsOf(ids, JOB, this.#one);
    return inOrderOf(
      ids,
      stored.map((row) => parseJob(row)),
    );
  }

  /** Like `jobs`, but many times as fast at a million rows, because it does not read the columns that compress best. */
  async summaries(ids: readonly JobId[]): Promise<readonly (JobSummary | null)[]> {
    const stored = await this.#rowsOf(ids, SUMMARY_COLUMNS, this.#oneSummary);
    return inOrderOf(
      ids,
      stored.map((row) => parseSummary(row)),
    );
  }

  async transitionsOf(jobId: JobId): Promise<readonly JobTransition[]> {
    const stored = await this.#alone(() =>
      this.#connection.runAndReadAll(`SELECT ${TRANSITION} FROM job_transitions WHERE job_id = $1 ORDER BY seq`, [
        uuidValue(jobId),
      ]),
    );
    return stored.getRowObjectsJS().map((row) => parseTransition(row));
  }

  /**
   * Finds the end of the page by two narrow columns first. Sorting whole rows would read all remaining rows for each
   * page.
   */
  async page(status: JobStatus, afterSeq: number, limit: number): Promise<readonly Job[]> {
    const stored = await this.#alone(async () => {
      bindPage(this.#pageEnd, status, afterSeq, BigInt(limit));
      const end = (await this.#pageEnd.runAndReadAll()).getRowsJS()[0]?.[0];
      if (typeof end !== 'bigint' || end === 0n) return [];
      bindPage(this.#page, status, afterSeq, end);
      return (await this.#page.runAndReadAll()).getRowObjectsJS();
    });
    return this.#readable(stored);
  }

  placesIn(status: JobStatus, afterSeq: number, limit: number): Promise<readonly JobPlace[]> {
    return this.#alone(() => placesIn(this.#connection, status, afterSeq, limit));
  }

  retentionStatesOf(jobIds: readonly JobId[]): Promise<ReadonlyMap<JobId, JobRetentionState>> {
    return this.#alone(() => retentionStatesOf(this.#connection, jobIds));
  }

  submission(key: Pick<SubmissionKey, 'owner' | 'keySha256'>, since: string) {
    return this.#alone(() => findSubmission(this.#connection, key, since));
  }

  endedBefore(time: string, limit: number): Promise<readonly JobId[]> {
    return this.#alone(() => endedBefore(this.#connection, time, limit));
  }

  forgettable(time: string, limit: number): Promise<readonly JobId[]> {
    return this.#alone(() => forgettable(this.#connection, time, limit));
  }

  async lastEnded(limit: number): Promise<readonly Job[]> {
    const stored = await this.#alone(() =>
      this.#connection.runAndReadAll(
        `SELECT ${JOB} FROM jobs WHERE status IN ('completed', 'failed') ORDER BY updated_at DESC LIMIT $1`,
        [BigInt(limit)],
      ),
    );
    return this.#readable(stored.getRowObjectsJS());
  }

  async newest({ beforeSeq, ...filter }: JobFilter, limit: number): Promise<readonly Job[]> {
    const jobs: Job[] = [];
    for (let before = beforeSeq; ;) {
      const wanted = limit - jobs.length;
      const rows = await this.#newestRows(before === undefined ? filter : { ...filter, beforeSeq: before }, wanted);
      jobs.push(...this.#readable(rows));
      const last = seqSchema.safeParse(rows.at(-1)).data?.accepted_seq;
      // Omits damaged rows and fills the page with the following ones.
      if (rows.length < wanted || jobs.length >= limit || last === undefined) return jobs;
      before = last;
    }
  }

  async #newestRows(filter: JobFilter, limit: number): Promise<readonly unknown[]> {
    const { status, pipelineId, tag, fileName, beforeSeq } = filter;
    const given = [
      { condition: 'status = ?', value: status },
      { condition: 'pipeline_id = ?', value: pipelineId },
      { condition: 'tag = ?', value: tag },
      { condition: 'contains(lower(file_name), lower(?))', value: fileName },
      { condition: 'accepted_seq < ?', value: beforeSeq === undefined ? undefined : BigInt(beforeSeq) },
    ].flatMap(({ condition, value }) => (value === undefined ? [] : [{ condition, value }]));
    const where = given.map(({ condition }, index) => condition.replace('?', `$${index + 1}`)).join(' AND ');
    const stored = await this.#alone(() =>
      this.#connection.runAndReadAll(
        `SELECT ${JOB} FROM jobs ${where === '' ? '' : `WHERE ${where}`} ORDER BY accepted_seq DESC LIMIT ${limit}`,
        given.map(({ value }) => value),
      ),
    );
    return stored.getRowObjectsJS();
  }

  /** Returns the jobs of the readable rows. */
  #readable(rows: readonly unknown[]): readonly Job[] {
    return rows.flatMap((row) => {
      try {
        return [parseJob(row)];
      } catch (error) {
        this.#onUnreadable(idSchema.safeParse(row).data?.job_id, error);
        return [];
      }
    });
  }

  async countByStatus(): Promise<Readonly<Record<JobStatus, number>>> {
    const stored = await this.#alone(() =>
      this.#connection.runAndReadAll('SELECT status, count(*) AS jobs FROM jobs GROUP BY status'),
    );
    const counts: Record<JobStatus, number> = { pending: 0, running: 0, completed: 0, failed: 0 };
    for (const row of stored.getRowObjectsJS()) {
      // A row with an invalid state must not hide others.
      const { data } = countSchema.safeParse(row);
      if (data !== undefined) counts[data.status] = data.jobs;
    }
    return counts;
  }

  endsSince(time: string): Promise<JobEnds> {
    return this.#alone(() => endsSince(this.#connection, time));
  }

  latestTransitions(limit: number): Promise<readonly JobTransition[]> {
    return this.#alone(() => latestTransitions(this.#connection, limit));
  }

  async ping(): Promise<void> {
    await this.#alone(() => this.#connection.run('SELECT 1'));
  }

  /** @param one a prepared statement that reads the same columns of one job */
  #rowsOf(ids: readonly JobId[], columns: string, one: DuckDBPreparedStatement): Promise<readonly unknown[]> {
    const distinct = [...new Set(ids)];
    return this.#alone(async () => {
      const [first] = distinct;
      if (first !== undefined && distinct.length === 1) {
        one.bindUUID(1, uuidValue(first));
        return (await one.runAndReadAll()).getRowObjectsJS();
      }
      // Uses literals instead of a list parameter, because DuckDB then skips row groups that cannot match.
      const list = distinct.map((id) => `'${uuidValue(id).toString()}'::UUID`).join();
      const found = await this.#connection.runAndReadAll(`SELECT ${columns} FROM jobs WHERE job_id IN (${list})`);
      return found.getRowObjectsJS();
    });
  }

  #alone<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#last.then(read);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function inOrderOf<T extends { readonly jobId: JobId }>(ids: readonly JobId[], stored: readonly T[]) {
  const found = new Map(stored.map((row) => [row.jobId, row]));
  return ids.map((id) => found.get(id) ?? null);
}

function bindPage(statement: DuckDBPreparedStatement, status: JobStatus, afterSeq: number, third: bigint): void {
  statement.bindVarchar(1, status);
  statement.bindBigInt(2, BigInt(afterSeq));
  statement.bindBigInt(3, third);
}
