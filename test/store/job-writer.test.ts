import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { expect } from 'chai';
import type { Job } from '../../src/job.ts';
import { Database } from '../../src/store/database.ts';
import { JobReader } from '../../src/store/job-reader.ts';
import { BatchRefusedError, JobWriter, type JobWrite } from '../../src/store/job-writer.ts';
import { migrateUp } from '../../src/store/migrate.ts';
import { newJob, nextOf } from './job-store.contract.ts';

describe('JobWriter', () => {
  let folder: string;
  let database: Database;
  let connection: DuckDBConnection;
  let writer: JobWriter;
  let reader: JobReader;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-writer-'));
    database = await Database.open(join(folder, 'jobs.duckdb'));
    connection = await database.connect();
    await migrateUp(connection);
    writer = await JobWriter.open(connection);
    reader = await JobReader.open(await database.connect());
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true, force: true });
  });

  const insertOf = (overrides: Partial<Job> = {}): JobWrite => ({ kind: 'insert', ...newJob(overrides) });
  const saveOf = (...given: Parameters<typeof nextOf>): JobWrite => ({ kind: 'save', ...nextOf(...given) });

  async function inserted(count: number): Promise<readonly Job[]> {
    const stored = await writer.commit(Array.from({ length: count }, () => insertOf()));
    return stored.filter((job) => job !== null);
  }

  async function refusalOf(writes: readonly JobWrite[]): Promise<BatchRefusedError> {
    try {
      await writer.commit(writes);
    } catch (error) {
      if (error instanceof BatchRefusedError) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  }

  function expectRefusal(refusal: BatchRefusedError, reason: RegExp): void {
    expect(String(refusal)).to.equal('BatchRefusedError: a statement of the batch failed');
    expect(refusal.cause).to.be.an('error').with.property('message').that.matches(reason);
  }

  it('commits nothing for no writes', async () => {
    expect(await writer.commit([])).to.deep.equal([]);
    expect((await inserted(1))[0]?.acceptedSeq).to.equal(1);
  });

  it('writes nothing of a batch with an invalid insert, reuses its places, and continues', async () => {
    const first = await inserted(2);
    const refusal = await refusalOf([insertOf(), insertOf({ updatedAt: 'no time' }), insertOf()]);
    expectRefusal(refusal, /no time/);
    const later = await inserted(2);
    expect(later.map(({ acceptedSeq }) => acceptedSeq)).to.deep.equal([3, 4]);
    expect(await reader.page('pending', 0, 10)).to.deep.equal([...first, ...later]);
  });

  it('writes nothing of a batch with an invalid save, and continues', async () => {
    const jobs = await inserted(3);
    const saves = jobs.map((job) => saveOf(job, 'running'));
    const [good, , last] = saves;
    const [, second] = jobs;
    if (good === undefined || last === undefined || second === undefined) throw new Error('three jobs were inserted');
    const bad = { ...nextOf(second, 'running'), kind: 'save' as const };
    const refusal = await refusalOf([good, { ...bad, job: { ...bad.job, updatedAt: 'no time' } }, last, insertOf()]);
    expectRefusal(refusal, /no time/);
    expect(await reader.page('pending', 0, 10)).to.deep.equal(jobs);
    for (const { jobId } of jobs) expect(await reader.transitionsOf(jobId)).to.have.length(1);
    expect(await writer.commit(saves)).to.deep.equal(saves.map(({ job }) => job));
  });

  it('writes nothing of a rejected single save, and continues', async () => {
    const [job] = await inserted(1);
    if (job === undefined) throw new Error('a job was inserted');
    const { transition, job: next } = nextOf(job, 'running');
    expectRefusal(
      await refusalOf([{ kind: 'save', job: { ...next, updatedAt: 'no time' }, transition }]),
      /invalid timestamp/,
    );
    expect(await reader.jobs([job.jobId])).to.deep.equal([job]);
    expect(await writer.commit([{ kind: 'save', job: next, transition }])).to.deep.equal([next]);
  });

  it('writes the current part of a batch, of every kind', async () => {
    const [first, second, third] = await inserted(3);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three were inserted');
    const good = nextOf(first, 'completed', { outputPath: 'r.json' });
    const stale = nextOf({ ...second, revision: 5 }, 'running');
    const expired = { ...third, expiredAt: '2026-01-02T03:04:05.678Z' };
    const fresh = newJob();
    const stored = await writer.commit([
      { kind: 'save', ...good },
      { kind: 'save', ...stale },
      { kind: 'expire', job: expired, transition: null },
      { kind: 'insert', ...fresh },
    ]);
    const accepted = { ...fresh.job, acceptedSeq: 4 };
    expect(stored).to.deep.equal([good.job, null, expired, accepted]);
    const ids = [first.jobId, second.jobId, third.jobId, fresh.job.jobId];
    expect(await reader.jobs(ids)).to.deep.equal([good.job, second, expired, accepted]);
    expect(await reader.transitionsOf(second.jobId)).to.have.length(1);
    expect(await reader.transitionsOf(third.jobId)).to.have.length(1);
    expect(await writer.commit([{ kind: 'save', ...stale }])).to.deep.equal([null]);
  });

  it('continues to count from the last accepted job', async () => {
    await inserted(3);
    const again = await JobWriter.open(await database.connect());
    expect((await again.commit([insertOf()]))[0]?.acceptedSeq).to.equal(4);
  });

  it('rejects with the error of a lost connection', async () => {
    const [job] = await inserted(1);
    if (job === undefined) throw new Error('a job was inserted');
    connection.closeSync();
    const failure: unknown = await writer.commit([saveOf(job, 'running')]).catch((error: unknown) => error);
    expect(failure).to.be.an('error').that.is.not.instanceOf(BatchRefusedError);
  });

  it('rejects a ping over a lost connection', async () => {
    const other = await database.connect();
    const gone = await JobReader.open(other);
    await gone.ping();
    other.closeSync();
    expect(await gone.ping().catch((error: unknown) => error)).to.be.an('error');
  });
});
