import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ServiceError, type ErrorCode } from '../../src/errors.ts';
import type { Job } from '../../src/job.ts';
import { Database } from '../../src/store/database.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { BatchRefusedError } from '../../src/store/job-writer.ts';
import { keptLog } from '../kept-log.ts';
import { refusalOf } from '../refusal-of.ts';
import { mountSmallDisk, requireSmallDisks, unmount } from '../small-disk.ts';
import { insertMany, newJob, nextOf } from './job-store.contract.ts';

interface Commit {
  readonly seconds: number;
  readonly writes: number;
}

let folder: string;
let path: string;
let kept: ReturnType<typeof keptLog>;
let commits: Commit[];

function openStore(): Promise<DuckDBJobStore> {
  return DuckDBJobStore.open({
    path,
    log: kept.log,
    onCommit: (seconds, writes) => commits.push({ seconds, writes }),
  });
}

const writesOfCommits = () => commits.map(({ writes }) => writes);

async function expectRefusal(promise: Promise<unknown>, code: ErrorCode, message: string): Promise<void> {
  const refusal = await refusalOf(promise);
  expect([refusal.code, refusal.message]).to.deep.equal([code, message]);
}

/** Bytes of the log beside the file; none without a log. */
async function logBytes(): Promise<number> {
  return (await stat(`${path}.wal`).catch(() => undefined))?.size ?? 0;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelstate-store-log-'));
  path = join(folder, 'jobs.duckdb');
  kept = keptLog();
  commits = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('DuckDBJobStore tells', () => {
  it('the number of writes of each commit, without rejected ones', async () => {
    const store = await openStore();
    const jobs = await insertMany(store, 5);
    const [first, second] = jobs.map((job) => nextOf(job, 'running'));
    if (first === undefined || second === undefined) throw new Error('five jobs were inserted');
    await Promise.all([first, second].map(({ job, transition }) => store.save(job, transition)));
    await store.expire({ ...first.job, expiredAt: first.job.createdAt });
    await store.newest({}, 1);
    const bad = newJob({ createdAt: 'no time' });
    await refusalOf(store.insert(bad.job, bad.transition));
    await store.close();
    expect(writesOfCommits()).to.deep.equal([5, 2, 1]);
  });

  it('the duration of each commit in seconds, less than the wait of its writes', async () => {
    const store = await openStore();
    const begunMs = performance.now();
    await insertMany(store, 1);
    const waited = (performance.now() - begunMs) / 1000;
    await store.close();
    expect(commits.map(({ seconds }) => seconds > 0 && seconds <= waited)).to.deep.equal([true]);
  });

  it('another change token after each opening, without a write', async () => {
    const tokens: string[] = [];
    for (let opening = 0; opening < 2; opening++) {
      const store = await openStore();
      tokens.push(store.changeToken());
      const bad = newJob({ createdAt: 'no time' });
      await refusalOf(store.insert(bad.job, bad.transition));
      expect(store.changeToken()).to.equal(tokens.at(-1));
      await store.close();
    }
    expect(new Set(tokens).size).to.equal(2);
  });

  it('nothing without an error, with and without a log', async () => {
    const store = await openStore();
    await insertMany(store, 3);
    await store.close();
    await (await openStore()).close();
    expect(kept.lines).to.deep.equal([]);
  });

  it('what was damaged, where it is now and what is missing', async () => {
    await writeFile(path, 'something else altogether\n'.repeat(500));
    const store = await openStore();
    await store.close();
    expect(store.damage?.lost).to.equal('database');
    const msg = 'the database was damaged: what could not be read was set aside';
    expect(kept.lines).to.deep.equal([{ level: 'error', ...store.damage, msg }]);
  });

  it('every call that it is closed', async () => {
    const store = await openStore();
    await store.close();
    const { job, transition } = newJob();
    const asked = [
      () => store.ping(),
      () => store.get(job.jobId),
      () => store.summary(job.jobId),
      () => store.insert(job, transition),
      () => store.forgetSubmissions(job.createdAt),
      () => store.submission({ owner: 'o', keySha256: 'k' }, job.createdAt),
    ];
    for (const ask of asked) await expectRefusal(ask(), 'store_unavailable', 'the job store is closed');
  });

  it('the maximum size of a page, and returns so many', async () => {
    const store = await openStore();
    const [job] = await insertMany(store, 1);
    expect(await store.page('pending', 0, 10_000)).to.deep.equal([job]);
    expect(await store.newest({}, 10_000)).to.deep.equal([job]);
    const message = 'a page has at most 10000 jobs, not 10001';
    await expectRefusal(store.page('pending', 0, 10_001), 'internal', message);
    await expectRefusal(store.newest({}, 10_001), 'internal', message);
    await store.close();
  });

  it('that a job with unfitting values can never be written; others of its batch are', async () => {
    const store = await openStore();
    const sound = [newJob(), newJob()];
    const { job, transition } = newJob({ createdAt: 'no time' });
    const writes = [store.insert(job, transition), ...sound.map((each) => store.insert(each.job, each.transition))];
    const [refused, ...written] = await Promise.allSettled(writes);
    expect(written.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled']);
    const refusal: unknown = refused?.status === 'rejected' ? refused.reason : undefined;
    if (!(refusal instanceof ServiceError)) throw new Error('a service error was expected');
    expect(refusal).to.include({ code: 'job_unwritable', retryable: false });
    expect(refusal.message).to.equal('the database rejects the data of this job');
    expect(refusal.cause).to.be.instanceOf(BatchRefusedError);
    await store.close();
  });

  it('which table has an unreadable row, and continues with the others', async () => {
    const store = await openStore();
    const [strange, sound] = await insertMany(store, 2);
    if (strange === undefined || sound === undefined) throw new Error('two jobs were inserted');
    await store.close();
    const database = await Database.open(path);
    const connection = await database.connect();
    for (const change of ["jobs SET status = 'dancing'", "job_transitions SET to_state = 'dancing'"]) {
      await connection.run(`UPDATE ${change} WHERE job_id = '${strange.jobId}'`);
    }
    database.close();
    const again = await openStore();
    const { jobId } = strange;
    for (const [read, table] of [
      [() => again.get(jobId), 'jobs'],
      [() => again.summary(jobId), 'jobs'],
      [() => again.transitionsOf(jobId), 'job_transitions'],
    ] as const) {
      const refusal = await refusalOf(read());
      expect([refusal.code, refusal.message]).to.deep.equal(['job_unreadable', `a row of ${table} cannot be read`]);
      expect(refusal.cause).to.be.an('error').with.property('message').that.contains('Invalid option');
    }
    expect(await again.get(sound.jobId)).to.deep.equal(sound);
    expect(await again.newest({}, 2)).to.deep.equal([sound]);
    await again.close();
  });
});

describe('DuckDBJobStore writes a checkpoint', () => {
  it('after a thousand writes when its log is long, before the next commit', async () => {
    const store = await openStore();
    const jobs = Array.from({ length: 1000 }, () => newJob({ snapshot: 'x'.repeat(18_000) }));
    await Promise.all(jobs.map(({ job, transition }) => store.insert(job, transition)));
    await insertMany(store, 1);
    expect(await logBytes()).to.be.below(1024 ** 2);
    expect((await stat(path)).size).to.be.above(100_000);
    expect((await store.countByStatus()).pending).to.equal(1001);
    await store.close();
    expect(writesOfCommits()).to.deep.equal([1000, 1]);
    expect(kept.lines).to.deep.equal([]);
  });

  it('after a thousand writes not while its log is short', async () => {
    const store = await openStore();
    await insertMany(store, 5);
    const before = await logBytes();
    const strangers = Array.from({ length: 1000 }, () => ({ ...newJob().job, acceptedSeq: 9 }));
    await Promise.all(strangers.map((job) => store.expire({ ...job, expiredAt: job.createdAt })));
    await insertMany(store, 1);
    expect(await logBytes()).to.be.above(before);
    await store.close();
  });

  describe('where the disk is small', () => {
    before(function () {
      requireSmallDisks(this);
    });
    beforeEach(async () => {
      const small = join(folder, 'small');
      await mkdir(small);
      expect(mountSmallDisk(small, 4)).to.equal(undefined);
      path = join(small, 'jobs.duckdb');
    });
    afterEach(() => unmount(join(folder, 'small')));

    const NO_ROOM = { level: 'warn', msg: 'no room on the disk for a checkpoint: the log grows' };

    it('only if both files fit again, and logs it', async () => {
      const store = await openStore();
      await insertMany(store, 3);
      // Uses up the space for a checkpoint of the log.
      const { size } = await stat(path);
      await writeFile(join(folder, 'small', 'other'), Buffer.alloc(4 * 1024 ** 2 - size - (await logBytes()) - 8192));
      await store.close();
      expect(kept.lines).to.deep.equal([NO_ROOM]);
    });

    it('of everything, once there is space again', async () => {
      const store = await openStore();
      const jobs: Job[] = [...(await insertMany(store, 3))];
      await store.close();
      const again = await openStore();
      jobs.push(...(await insertMany(again, 3)));
      await again.close();
      expect(kept.lines).to.deep.equal([]);
      const last = await openStore();
      expect(await last.page('pending', 0, 10)).to.deep.equal(jobs);
      await last.close();
    });

    it('and rejects a whole batch that does not fit, without blaming a row', async () => {
      const store = await openStore();
      const before = await insertMany(store, 2);
      const told = commits.length;
      const jobs = Array.from({ length: 40 }, () => newJob({ snapshot: 'y'.repeat(200_000) }));
      const settled = await Promise.allSettled(jobs.map(({ job, transition }) => store.insert(job, transition)));
      expect(new Set(settled.map(({ status }) => status))).to.deep.equal(new Set(['rejected']));
      const [refused] = settled;
      const refusal: unknown = refused?.status === 'rejected' ? refused.reason : undefined;
      expect(refusal).to.be.instanceOf(ServiceError).that.includes({ code: 'store_unavailable', retryable: true });
      if (!(refusal instanceof ServiceError)) throw new Error('a service error was expected');
      expect(refusal.cause).to.be.an('error').that.is.not.instanceOf(BatchRefusedError);
      expect(commits).to.have.length(told);
      expect(await store.page('pending', 0, 100)).to.deep.equal(before);
      await store.close();
    });
  });
});
