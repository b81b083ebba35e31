import { ServiceError } from '../errors.ts';
import type { Job, JobId, JobSummary, JobStatus, JobTransition } from '../job.ts';
import { Batcher } from './batcher.ts';
import type { Damage } from './damage.ts';
import { isInvalidated } from './database.ts';
import type {
  Condemnation,
  Condemned,
  JobEnds,
  JobFilter,
  JobPlace,
  JobRetentionState,
  JobStore,
  SubmissionKey,
} from './job-store.ts';
import { BatchRefusedError, type JobWrite } from './job-writer.ts';
import { LiveDatabase, type LiveDatabaseOptions } from './live-database.ts';

const MAX_WRITES_PER_COMMIT = 2000;
const MAX_READS_PER_STATEMENT = 256;
/** Reading 10,000 jobs blocks the event loop for about 0.1 s. */
const MAX_PAGE = 10_000;

export type DuckDBJobStoreOptions = LiveDatabaseOptions;

/**
 * Jobs in one DuckDB file that only this process has open. Writes are committed in groups; waiting reads of single jobs
 * share one statement. If the database becomes invalid, the next call opens it again.
 */
export class DuckDBJobStore implements JobStore {
  /** Damage that was set aside at open. Jobs may then be missing or in an earlier state. */
  readonly damage: Damage | undefined;
  readonly #database: LiveDatabase;
  readonly #writes: Batcher<JobWrite, Job | null>;
  readonly #gets: Batcher<JobId, Job | null>;
  readonly #summaries: Batcher<JobId, JobSummary | null>;
  #closed = false;

  private constructor(database: LiveDatabase) {
    this.#database = database;
    this.damage = database.damage;
    this.#writes = new Batcher({
      run: (writes) => this.#commit(writes),
      maxBatch: MAX_WRITES_PER_COMMIT,
      keyOf: (write) => write.job.jobId,
      isFaultOfItem: (error) => error instanceof BatchRefusedError && !isInvalidated(error),
    });
    this.#gets = new Batcher({
      run: (ids) => this.#database.use(({ lookups }) => lookups.jobs(ids)),
      maxBatch: MAX_READS_PER_STATEMENT,
      isFaultOfItem: isUnreadable,
    });
    this.#summaries = new Batcher({
      run: (ids) => this.#database.use(({ lookups }) => lookups.summaries(ids)),
      maxBatch: MAX_READS_PER_STATEMENT,
      isFaultOfItem: isUnreadable,
    });
  }

  /**
   * Opens or creates the file and applies pending migrations. Damaged files are set aside: see `damage`. Rejects with
   * `store_unavailable` if the file cannot be opened or another process has it, and with `schema_too_new`.
   */
  static async open(options: DuckDBJobStoreOptions): Promise<DuckDBJobStore> {
    return new DuckDBJobStore(await LiveDatabase.open(options));
  }

  async insert(job: Omit<Job, 'acceptedSeq'>, transition: JobTransition, submission?: SubmissionKey): Promise<Job> {
    const inserted = await this.#answer(() => this.#writes.submit({ kind: 'insert', job, transition, submission }));
    if (inserted === null) throw new ServiceError('internal', `job ${job.jobId} was not inserted`);
    return inserted;
  }

  async save(next: Job, transition: JobTransition): Promise<boolean> {
    return (await this.#answer(() => this.#writes.submit({ kind: 'save', job: next, transition }))) !== null;
  }

  condemn(condemnation: Condemnation): Promise<Condemned | undefined> {
    return this.#answer(() => this.#database.inTurn(1, (writer) => writer.condemn(condemnation)));
  }

  async expire(job: Job): Promise<void> {
    await this.#answer(() => this.#writes.submit({ kind: 'expire', job, transition: null }));
  }

  submission(key: Pick<SubmissionKey, 'owner' | 'keySha256'>, since: string) {
    return this.#answer(() => this.#database.use(({ reader }) => reader.submission(key, since)));
  }

  forgetSubmissions(before: string): Promise<void> {
    return this.#answer(() => this.#database.use((session) => session.forgetSubmissions(before)));
  }

  async get(jobId: JobId): Promise<Job | undefined> {
    return (await this.#answer(() => this.#gets.submit(jobId))) ?? undefined;
  }

  async summary(jobId: JobId): Promise<JobSummary | undefined> {
    return (await this.#answer(() => this.#summaries.submit(jobId))) ?? undefined;
  }

  transitionsOf(jobId: JobId): Promise<readonly JobTransition[]> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.transitionsOf(jobId)));
  }

  async page(status: JobStatus, afterSeq: number, limit: number): Promise<readonly Job[]> {
    if (limit > MAX_PAGE) throw new ServiceError('internal', `a page has at most ${MAX_PAGE} jobs, not ${limit}`);
    return this.#answer(() => this.#database.use(({ reader }) => reader.page(status, afterSeq, limit)));
  }

  placesIn(status: JobStatus, afterSeq: number, limit: number): Promise<readonly JobPlace[]> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.placesIn(status, afterSeq, limit)));
  }

  retentionStatesOf(jobIds: readonly JobId[]): Promise<ReadonlyMap<JobId, JobRetentionState>> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.retentionStatesOf(jobIds)));
  }

  lastEnded(limit: number): Promise<readonly Job[]> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.lastEnded(limit)));
  }

  endedBefore(time: string, limit: number): Promise<readonly JobId[]> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.endedBefore(time, limit)));
  }

  forgettable(time: string, limit: number): Promise<readonly JobId[]> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.forgettable(time, limit)));
  }

  forget(jobIds: readonly JobId[]): Promise<void> {
    return this.#answer(() => this.#database.inTurn(jobIds.length, (writer) => writer.forget(jobIds)));
  }

  async newest(filter: JobFilter, limit: number): Promise<readonly Job[]> {
    if (limit > MAX_PAGE) throw new ServiceError('internal', `a page has at most ${MAX_PAGE} jobs, not ${limit}`);
    return this.#answer(() => this.#database.use(({ reader }) => reader.newest(filter, limit)));
  }

  countByStatus(): Promise<Readonly<Record<JobStatus, number>>> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.countByStatus()));
  }

  endsSince(time: string): Promise<JobEnds> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.endsSince(time)));
  }

  latestTransitions(limit: number): Promise<readonly JobTransition[]> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.latestTransitions(limit)));
  }

  changeToken(): string {
    return this.#database.changeToken();
  }

  /**
   * True after damage was found while the database is open. Every call is rejected until the next start, which repairs
   * it.
   */
  get isDamaged(): boolean {
    return this.#database.notice.isFound;
  }

  /** Reads every row at half speed until the signal is aborted; `isDamaged` then covers all rows. Never rejects. */
  readAllRows(signal: AbortSignal): Promise<void> {
    return this.#database.readAllRows(signal);
  }

  /** Records that the jobs of a damaged database are restored, so that the next start has nothing to repair. */
  confirmRepair(): Promise<void> {
    return this.#database.removeRepairMark();
  }

  ping(): Promise<void> {
    return this.#answer(() => this.#database.use(({ reader }) => reader.ping()));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#database.stopCheckpoints();
    await this.#writes.idle();
    await this.#gets.idle();
    await this.#summaries.idle();
    await this.#database.close();
  }

  #commit(writes: readonly JobWrite[]): Promise<readonly (Job | null)[]> {
    return this.#database.inTurn(writes.length, (writer) => writer.commit(writes));
  }

  async #answer<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (this.#closed) throw new ServiceError('store_unavailable', 'the job store is closed');
      return await work();
    } catch (cause) {
      if (this.#database.notice.isFound) throw this.#database.notice.refusal(cause);
      if (cause instanceof ServiceError) throw cause;
      if (cause instanceof BatchRefusedError && cause.isFaultOfValue) {
        throw new ServiceError('job_unwritable', 'the database rejects the data of this job', { cause });
      }
      // DuckDB's messages may contain paths of the machine, so they are only logged.
      throw new ServiceError('store_unavailable', 'the job database cannot be read or written now', {
        cause,
        retryable: true,
      });
    }
  }
}

/** One row was damaged. The other rows of the batch are read again, each alone. */
function isUnreadable(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'job_unreadable';
}
