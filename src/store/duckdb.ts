import { randomUUID } from 'node:crypto';
import type { Log } from '../log.ts';
import { ServiceError, messageOf } from '../errors.ts';
import type { Job, JobId, JobStatus, JobTransition } from '../job.ts';
import { Batcher } from './batcher.ts';
import { Database } from './database.ts';
import { JobReader } from './job-reader.ts';
import type { JobFilter, JobStore } from './job-store.ts';
import { JobWriter, BatchRefusedError, type JobWrite } from './job-writer.ts';
import { migrateUp } from './migrate.ts';

const MAX_WRITES_PER_COMMIT = 2000;
const MAX_READS_PER_STATEMENT = 256;

export class DuckDBJobStore implements JobStore {
  readonly #database: Database;
  readonly #writer: JobWriter;
  readonly #reader: JobReader;
  readonly #lookups: JobReader;
  readonly #writes: Batcher<JobWrite, Job | null>;
  readonly #gets: Batcher<JobId, Job | null>;
  readonly #opening = randomUUID();
  #changes = 0;

  private constructor(database: Database, writer: JobWriter, reader: JobReader, lookups: JobReader) {
    this.#database = database;
    this.#writer = writer;
    this.#reader = reader;
    this.#lookups = lookups;
    this.#writes = new Batcher({
      run: (writes) => this.#writer.commit(writes),
      maxBatch: MAX_WRITES_PER_COMMIT,
      keyOf: (write) => write.job.jobId,
      isFaultOfItem: (error) => error instanceof BatchRefusedError,
    });
    this.#gets = new Batcher({ run: (ids) => this.#lookups.jobs(ids), maxBatch: MAX_READS_PER_STATEMENT });
  }

  /** Opens the file at `path` or makes it, and applies the migrations that wait. */
  static async open({ path }: { readonly path: string; readonly log: Log }): Promise<DuckDBJobStore> {
    const database = await Database.open(path);
    const writing = await database.connect();
    await migrateUp(writing);
    return new DuckDBJobStore(
      database,
      await JobWriter.open(writing),
      await JobReader.open(await database.connect()),
      await JobReader.open(await database.connect()),
    );
  }

  async insert(job: Omit<Job, 'acceptedSeq'>, transition: JobTransition): Promise<Job> {
    const inserted = await this.#guard(this.#writes.submit({ kind: 'insert', job, transition }));
    if (inserted === null) throw new ServiceError('internal', `job ${job.jobId} was not inserted`);
    this.#changes += 1;
    return inserted;
  }

  async save(next: Job, transition: JobTransition): Promise<boolean> {
    const saved = (await this.#guard(this.#writes.submit({ kind: 'save', job: next, transition }))) !== null;
    if (saved) this.#changes += 1;
    return saved;
  }

  async get(jobId: JobId): Promise<Job | undefined> {
    return (await this.#guard(this.#gets.submit(jobId))) ?? undefined;
  }

  transitionsOf(jobId: JobId): Promise<readonly JobTransition[]> {
    return this.#guard(this.#reader.transitionsOf(jobId));
  }

  page(status: JobStatus, afterSeq: number, limit: number): Promise<readonly Job[]> {
    return this.#guard(this.#reader.page(status, afterSeq, limit));
  }

  newest(filter: JobFilter, limit: number): Promise<readonly Job[]> {
    return this.#guard(this.#reader.newest(filter, limit));
  }

  countByStatus(): Promise<Readonly<Record<JobStatus, number>>> {
    return this.#guard(this.#reader.countByStatus());
  }

  changeToken(): string {
    return `${this.#opening}.${this.#changes}`;
  }

  ping(): Promise<void> {
    return this.#guard(this.#reader.ping());
  }

  async close(): Promise<void> {
    await this.#writes.idle();
    await this.#gets.idle();
    await this.#reader.ping();
    this.#writer.close();
    this.#reader.close();
    this.#lookups.close();
    this.#database.close();
  }

  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      if (cause instanceof ServiceError) throw cause;
      throw new ServiceError('store_unavailable', `the job store cannot do this now: ${messageOf(cause)}`, {
        cause,
        retryable: true,
      });
    }
  }
}
