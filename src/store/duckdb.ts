import { randomUUID } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import type { Job, JobId, JobSummary, JobStatus, JobTransition } from '../job.ts';
import type { Log } from '../log.ts';
import { Batcher } from './batcher.ts';
import type { Damage } from './damage.ts';
import { DamageNotice } from './damage-notice.ts';
import { isInvalidated } from './database.ts';
import type {
  Condemnation,
  Condemned,
  JobFilter,
  JobPlace,
  JobRetentionState,
  JobStore,
  SubmissionKey,
} from './job-store.ts';
import type { UnreadableListener } from './job-reader.ts';
import { BatchRefusedError, type JobWrite, type JobWriter } from './job-writer.ts';
import { Session } from './session.ts';

const MAX_WRITES_PER_COMMIT = 2000;
const MAX_READS_PER_STATEMENT = 256;
/** Reading 10,000 jobs blocks the event loop for about 0.1 s. */
const MAX_PAGE = 10_000;

/** Replay at open takes about 0.1 s per MiB. The cost of a checkpoint hardly depends on how much it writes. */
const CHECKPOINT_LOG_BYTES = 16 * 1024 ** 2;
/** Without writes, a smaller log is worth a checkpoint. */
const IDLE_CHECKPOINT_LOG_BYTES = 1024 ** 2;
const IDLE_MS = 1000;
/** Number of writes between checks of the log size: about 1 MiB of log. */
const WRITES_BETWEEN_LOOKS = 1000;

export interface DuckDBJobStoreOptions {
  /** The database file. Its folder must exist; the file need not. */
  readonly path: string;
  readonly log: Log;
  /** Reads every row at open, which takes some seconds for a million jobs. */
  readonly thorough?: boolean;
  /** Called for every commit with its duration and number of writes. */
  readonly onCommit?: (seconds: number, writes: number) => void;
}

/**
 * Jobs in one DuckDB file that only this process has open. Writes are committed in groups; waiting reads of single jobs
 * share one statement. If the database becomes invalid, the next call opens it again.
 */
export class DuckDBJobStore implements JobStore {
  /** Damage that was set aside at open. Jobs may then be missing or in an earlier state. */
  readonly damage: Damage | undefined;
  readonly #notice: DamageNotice;
  readonly #path: string;
  readonly #log: Log;
  readonly #onCommit: DuckDBJobStoreOptions['onCommit'];
  readonly #writes: Batcher<JobWrite, Job | null>;
  readonly #gets: Batcher<JobId, Job | null>;
  readonly #summaries: Batcher<JobId, JobSummary | null>;
  readonly #opening = randomUUID();
  #changes = 0;
  #session: Session;
  #reopening: Promise<Session> | undefined;
  #checkpoint: Promise<void> | undefined;
  #writesSinceLook = 0;
  #lastWrite: Promise<unknown> = Promise.resolve();
  readonly #idleTimer: NodeJS.Timeout;
  #committing = false;
  #closed = false;

  private constructor({ path, log, onCommit }: DuckDBJobStoreOptions, session: Session) {
    this.#path = path;
    this.#log = log;
    this.#onCommit = onCommit;
    this.#session = session;
    this.damage = session.damage;
    this.#notice = new DamageNotice(log);
    this.#writes = new Batcher({
      run: (writes) => this.#commit(writes),
      maxBatch: MAX_WRITES_PER_COMMIT,
      keyOf: (write) => write.job.jobId,
      isFaultOfItem: (error) => error instanceof BatchRefusedError && !isInvalidated(error),
    });
    this.#gets = new Batcher({
      run: (ids) => this.#use(({ lookups }) => lookups.jobs(ids)),
      maxBatch: MAX_READS_PER_STATEMENT,
      isFaultOfItem: isUnreadable,
    });
    this.#summaries = new Batcher({
      run: (ids) => this.#use(({ lookups }) => lookups.summaries(ids)),
      maxBatch: MAX_READS_PER_STATEMENT,
      isFaultOfItem: isUnreadable,
    });
    this.#idleTimer = setTimeout(() => this.#checkpointFrom(IDLE_CHECKPOINT_LOG_BYTES), IDLE_MS).unref();
  }

  /**
   * Opens or creates the file and applies pending migrations. Damaged files are set aside: see `damage`. Rejects with
   * `store_unavailable` if the file cannot be opened or another process has it, and with `schema_too_new`.
   */
  static async open(options: DuckDBJobStoreOptions): Promise<DuckDBJobStore> {
    const { path, log, thorough } = options;
    const session = await Session.openRepaired(path, { thorough, onUnreadable: unreadableLog(log) });
    if (session.damage !== undefined) {
      log.error(session.damage, 'the database was damaged: what could not be read was set aside');
    }
    return new DuckDBJobStore(options, session);
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
    return this.#answer(() => this.#inTurn(1, (writer) => writer.condemn(condemnation)));
  }

  async expire(job: Job): Promise<void> {
    await this.#answer(() => this.#writes.submit({ kind: 'expire', job, transition: null }));
  }

  submission(key: Pick<SubmissionKey, 'owner' | 'keySha256'>, since: string) {
    return this.#answer(() => this.#use(({ reader }) => reader.submission(key, since)));
  }

  forgetSubmissions(before: string): Promise<void> {
    return this.#answer(() => this.#use((session) => session.forgetSubmissions(before)));
  }

  async get(jobId: JobId): Promise<Job | undefined> {
    return (await this.#answer(() => this.#gets.submit(jobId))) ?? undefined;
  }

  async summary(jobId: JobId): Promise<JobSummary | undefined> {
    return (await this.#answer(() => this.#summaries.submit(jobId))) ?? undefined;
  }

  transitionsOf(jobId: JobId): Promise<readonly JobTransition[]> {
    return this.#answer(() => this.#use(({ reader }) => reader.transitionsOf(jobId)));
  }

  async page(status: JobStatus, afterSeq: number, limit: number): Promise<readonly Job[]> {
    if (limit > MAX_PAGE) throw new ServiceError('internal', `a page has at most ${MAX_PAGE} jobs, not ${limit}`);
    return this.#answer(() => this.#use(({ reader }) => reader.page(status, afterSeq, limit)));
  }

  placesIn(status: JobStatus, afterSeq: number, limit: number): Promise<readonly JobPlace[]> {
    return this.#answer(() => this.#use(({ reader }) => reader.placesIn(status, afterSeq, limit)));
  }

  retentionStatesOf(jobIds: readonly JobId[]): Promise<ReadonlyMap<JobId, JobRetentionState>> {
    return this.#answer(() => this.#use(({ reader }) => reader.retentionStatesOf(jobIds)));
  }

  lastEnded(limit: number): Promise<readonly Job[]> {
    return this.#answer(() => this.#use(({ reader }) => reader.lastEnded(limit)));
  }

  endedBefore(time: string, limit: number): Promise<readonly JobId[]> {
    return this.#answer(() => this.#use(({ reader }) => reader.endedBefore(time, limit)));
  }

  forgettable(time: string, limit: number): Promise<readonly JobId[]> {
    return this.#answer(() => this.#use(({ reader }) => reader.forgettable(time, limit)));
  }

  forget(jobIds: readonly JobId[]): Promise<void> {
    return this.#answer(() => this.#inTurn(jobIds.length, (writer) => writer.forget(jobIds)));
  }

  async newest(filter: JobFilter, limit: number): Promise<readonly Job[]> {
    if (limit > MAX_PAGE) throw new ServiceError('internal', `a page has at most ${MAX_PAGE} jobs, not ${limit}`);
    return this.#answer(() => this.#use(({ reader }) => reader.newest(filter, limit)));
  }

  countByStatus(): Promise<Readonly<Record<JobStatus, number>>> {
    return this.#answer(() => this.#use(({ reader }) => reader.countByStatus()));
  }

  changeToken(): string {
    return `${this.#opening}.${this.#changes}`;
  }

  /**
   * True after damage was found while the database is open. Every call is rejected until the next start, which repairs
   * it.
   */
  get isDamaged(): boolean {
    return this.#notice.isFound;
  }

  /** Reads every row at half speed until the signal is aborted; `isDamaged` then covers all rows. Never rejects. */
  async readAllRows(signal: AbortSignal): Promise<void> {
    try {
      await this.#use((session) => session.readAllRows(signal));
    } catch (error) {
      if (!this.#notice.isFound)
        this.#log.warn({ err: error }, 'the rows were not all read; tried again at the next start');
    }
  }

  /** Records that the jobs of a damaged database are restored, so that the next start has nothing to repair. */
  confirmRepair(): Promise<void> {
    return this.#session.removeRepairMark();
  }

  ping(): Promise<void> {
    return this.#answer(() => this.#use(({ reader }) => reader.ping()));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    await this.#writes.idle();
    await this.#lastWrite;
    await this.#gets.idle();
    await this.#summaries.idle();
    await this.#reopening?.catch(() => undefined);
    await this.#checkpoint;
    if (!this.#session.invalid && !this.#notice.isFound) await this.#writeCheckpoint();
    await this.#session.close();
  }

  #commit(writes: readonly JobWrite[]): Promise<readonly (Job | null)[]> {
    return this.#inTurn(writes.length, (writer) => writer.commit(writes));
  }

  /** Serialises write transactions. */
  #inTurn<T>(writes: number, work: (writer: JobWriter) => Promise<T>): Promise<T> {
    const mine = this.#lastWrite.then(() => this.#write(writes, work));
    this.#lastWrite = mine.catch(() => undefined);
    return mine;
  }

  async #write<T>(writes: number, work: (writer: JobWriter) => Promise<T>): Promise<T> {
    await this.#checkpoint; // one is refused while a transaction that writes is open
    this.#committing = true;
    try {
      const begunMs = performance.now();
      const result = await this.#use(({ writer }) => work(writer));
      this.#onCommit?.((performance.now() - begunMs) / 1000, writes);
      this.#changes += 1;
      return result;
    } finally {
      this.#committing = false;
      this.#idleTimer.refresh();
      this.#writesSinceLook += writes;
      if (this.#writesSinceLook >= WRITES_BETWEEN_LOOKS) {
        this.#writesSinceLook = 0;
        this.#checkpointFrom(CHECKPOINT_LOG_BYTES);
      }
    }
  }

  async #use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.#notice.isFound) throw this.#notice.refusal();
    try {
      const session = this.#session.invalid ? await this.#reopen() : this.#session;
      return await session.use(() => work(session));
    } catch (error) {
      await this.#takeNotice(error);
      throw error;
    }
  }

  #takeNotice(error: unknown): Promise<void> {
    return this.#notice.take(error, (reason) => this.#session.markForRepair(reason));
  }

  #reopen(): Promise<Session> {
    this.#reopening ??= (async () => {
      try {
        this.#log.warn('the database went invalid and is opened anew');
        await this.#session.close();
        this.#session = await Session.open(this.#path, { onUnreadable: unreadableLog(this.#log) });
        this.#changes += 1;
        return this.#session;
      } finally {
        this.#reopening = undefined;
      }
    })();
    return this.#reopening;
  }

  #checkpointFrom(logBytes: number): void {
    if (this.#closed || this.#committing || this.#session.invalid || this.#notice.isFound) return;
    this.#checkpoint ??= (async () => {
      if ((await this.#session.logBytes()) >= logBytes) await this.#writeCheckpoint();
      this.#checkpoint = undefined;
    })();
  }

  /** A failed checkpoint loses nothing, because the log is still complete. */
  async #writeCheckpoint(): Promise<void> {
    try {
      if (!(await this.#session.checkpoint())) this.#log.warn('no room on the disk for a checkpoint: the log grows');
    } catch (error) {
      this.#log.error({ err: error }, 'a checkpoint failed');
      await this.#takeNotice(error);
    }
  }

  async #answer<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (this.#closed) throw new ServiceError('store_unavailable', 'the job store is closed');
      return await work();
    } catch (cause) {
      if (this.#notice.isFound) throw this.#notice.refusal(cause);
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

function unreadableLog(log: Log): UnreadableListener {
  return (jobId, error) => log.error({ job_id: jobId, err: error }, 'a row cannot be read and is left out');
}

/** One row was damaged. The other rows of the batch are read again, each alone. */
function isUnreadable(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'job_unreadable';
}
