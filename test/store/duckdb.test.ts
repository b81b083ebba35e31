import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  readlink,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pino } from 'pino';
import { ServiceError } from '../../src/errors.ts';
import { jobIdSchema, type Job } from '../../src/job.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { refusalOf } from '../refusal-of.ts';
import { mountSmallDisk, requireSmallDisks, unmount } from '../small-disk.ts';
import { insertMany, jobStoreContract, newJob, nextOf } from './job-store.contract.ts';

const log = pino({ level: 'silent' });
let folder: string;
let path: string;

const openStore = () => DuckDBJobStore.open({ path, log });

/** Returns the paths of the open files of this process in `folder`. */
async function openFiles(): Promise<readonly string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.filter((link) => link.startsWith(folder));
}

async function setAside(): Promise<readonly string[]> {
  return (await readdir(folder)).filter((file) => file.includes('.damaged-'));
}

async function flip(file: string, offset: number): Promise<void> {
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, offset);
  byte[0] = (byte[0] ?? 0) ^ 0xff;
  await handle.write(byte, 0, 1, offset);
  await handle.close();
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelstate-store-'));
  path = join(folder, 'jobs.duckdb');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

jobStoreContract('DuckDBJobStore', openStore);

describe('DuckDBJobStore', () => {
  it('has everything in the database after a clean close, and continues to count', async () => {
    const store = await openStore();
    const jobs = await insertMany(store, 30);
    await store.close();
    expect(await readdir(folder)).to.deep.equal(['jobs.duckdb']);
    expect(await openFiles()).to.deep.equal([]);
    const again = await openStore();
    expect(await again.page('pending', 0, 100)).to.deep.equal(jobs);
    expect((await insertMany(again, 1))[0]?.acceptedSeq).to.equal(31);
    expect(again.damage).to.equal(undefined);
    await again.close();
  });

  it('finishes current writes before it closes, and rejects later ones', async () => {
    const store = await openStore();
    const writes = insertMany(store, 100);
    const reads = store.countByStatus();
    await store.close();
    expect(await writes).to.have.length(100);
    await reads;
    const refusal = await refusalOf(store.ping());
    expect(refusal.code).to.equal('store_unavailable');
    await store.close();
  });

  it('keeps its log beside the file itself when its path is a link, also before the file is there', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    await symlink('elsewhere/jobs.duckdb', path);
    const store = await openStore();
    const jobs = await insertMany(store, 3);
    expect(await readdir(elsewhere)).to.deep.equal(['jobs.duckdb', 'jobs.duckdb.wal']);
    // What a killed process would leave, opened through another link.
    const left = join(folder, 'left');
    await cp(elsewhere, left, { recursive: true });
    await store.close();
    await rm(path);
    await symlink(join(left, 'jobs.duckdb'), path);
    const again = await openStore();
    expect(await again.page('pending', 0, 10)).to.deep.equal(jobs);
    await again.close();
  });

  it('cannot be opened by a second process', async () => {
    const store = await openStore();
    const child = spawnSync(process.execPath, [childPath(), path], { encoding: 'utf8' });
    expect(child.status).to.equal(1);
    expect(child.stderr).to.contain('store_unavailable');
    expect(await readdir(folder)).to.not.include('jobs.duckdb.damaged');
    await store.close();
  });

  it('does not let a rejected row fail others of its batch', async () => {
    const store = await openStore();
    const bad = newJob({ createdAt: 'yesterday, about noon' });
    const surrogate = newJob({ inputPath: 'half \ud83c of a character' });
    const [before, refused, odd, after] = await Promise.allSettled([
      insertMany(store, 10),
      store.insert(bad.job, bad.transition),
      store.insert(surrogate.job, surrogate.transition),
      insertMany(store, 10),
    ]);
    expect([before.status, refused.status, odd.status, after.status]).to.deep.equal([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await store.get(bad.job.jobId)).to.equal(undefined);
    expect(await store.transitionsOf(bad.job.jobId)).to.deep.equal([]);
    expect((await store.page('pending', 0, 100)).map(({ acceptedSeq }) => acceptedSeq)).to.deep.equal(
      Array.from({ length: 21 }, (_, index) => index + 1),
    );
    await store.close();
  });

  it('rejects a page that is too large', async () => {
    const store = await openStore();
    expect((await refusalOf(store.page('pending', 0, 10_001))).code).to.equal('internal');
    await store.close();
  });

  it('has every acknowledged write and a complete history of every job after kill -9', async () => {
    for (let round = 0; round < 3; round++) {
      const acknowledged = new Map<string, number>();
      const child = spawn(process.execPath, [childPath(), path], { stdio: ['ignore', 'pipe', 'inherit'] });
      for await (const line of createInterface({ input: child.stdout })) {
        const [id = '', revision] = line.split(' ');
        acknowledged.set(id, Number(revision));
        if (acknowledged.size === 40 * (round + 1)) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const store = await openStore();
      const stored = await Promise.all(
        [...acknowledged.keys()].map(async (id) => {
          const jobId = jobIdSchema.parse(id);
          return { job: await store.get(jobId), history: await store.transitionsOf(jobId) };
        }),
      );
      for (const { job, history } of stored) {
        expect(job?.revision).to.be.at.least(acknowledged.get(job?.jobId ?? '') ?? Infinity);
        expect(history.map(({ seq }) => seq)).to.deep.equal(history.map((_, index) => index + 1));
        expect(history.at(-1)?.toState).to.equal(job?.status);
        expect(history).to.have.length(job?.revision ?? 0);
      }
      await store.close();
    }
  });
});

describe('DuckDBJobStore on damaged files', () => {
  let checkpointed: readonly Job[];
  let logged: readonly Job[];

  /** Creates a database with ten jobs and, like after a kill, a log with ten more. */
  beforeEach(async () => {
    const first = await openStore();
    checkpointed = await insertMany(first, 10);
    await first.close();
    const store = await openStore();
    const later: Job[] = [];
    for (let index = 0; index < 10; index++) later.push(...(await insertMany(store, 1)));
    logged = later;
    const kept = join(folder, 'kept');
    await mkdir(kept);
    for (const file of ['jobs.duckdb', 'jobs.duckdb.wal']) await copyFile(join(folder, file), join(kept, file));
    await store.close();
    folder = kept;
    path = join(kept, 'jobs.duckdb');
  });
  afterEach(async () => {
    folder = join(folder, '..');
  });

  /** Expects a usable store with a whole number of the logged commits. */
  async function expectPrefix(store: DuckDBJobStore): Promise<number> {
    const jobs = await store.page('pending', 0, 100);
    expect(jobs).to.deep.equal([...checkpointed, ...logged].slice(0, jobs.length));
    for (const { jobId } of jobs) expect(await store.transitionsOf(jobId)).to.have.length(1);
    expect((await insertMany(store, 1))[0]?.acceptedSeq).to.equal(jobs.length + 1);
    return jobs.length;
  }

  it('replays a truncated log up to its end', async () => {
    const whole = await readFile(`${path}.wal`);
    await truncate(`${path}.wal`, whole.length - 7);
    const store = await openStore();
    expect(await expectPrefix(store)).to.equal(19);
    await store.close();
  });

  it('keeps the commits before a flipped byte, sets the log aside and reports it', async () => {
    const whole = await readFile(`${path}.wal`);
    await flip(`${path}.wal`, Math.floor(whole.length / 2));
    const broken = await readFile(`${path}.wal`);
    const store = await openStore();
    expect(await expectPrefix(store)).to.be.within(11, 19);
    const [file = ''] = await setAside();
    expect(store.damage).to.deep.equal({ setAside: [join(folder, file)], lost: 'end_of_log' });
    expect((await readFile(join(folder, file))).equals(broken)).to.equal(true);
    await store.close();
  });

  it('keeps the commits before a zeroed tail', async () => {
    const whole = await readFile(`${path}.wal`);
    await writeFile(`${path}.wal`, Buffer.from(whole).fill(0, Math.floor(whole.length / 2)));
    const store = await openStore();
    expect(await expectPrefix(store)).to.be.within(11, 19);
    expect(store.damage?.lost).to.equal('end_of_log');
    await store.close();
  });

  it('loses nothing because of zeroes after the log', async () => {
    await writeFile(`${path}.wal`, Buffer.concat([await readFile(`${path}.wal`), Buffer.alloc(4096)]));
    const store = await openStore();
    expect(await expectPrefix(store)).to.equal(20);
    expect(await setAside()).to.have.length(1);
    await store.close();
  });

  it('sets a damaged database aside with its log and creates a new one', async () => {
    await flip(path, 5000);
    await flip(path, 10_000);
    const store = await openStore();
    expect(store.damage?.lost).to.equal('database');
    expect(await setAside()).to.have.length(2);
    expect(await store.countByStatus()).to.deep.equal({ pending: 0, running: 0, completed: 0, failed: 0 });
    await insertMany(store, 3);
    await store.confirmRepair();
    await store.close();
    const again = await openStore();
    expect(again.damage).to.equal(undefined);
    expect((await again.countByStatus()).pending).to.equal(3);
    await again.close();
  });

  it('sets aside a file that is not a database', async () => {
    await writeFile(path, 'something else altogether\n'.repeat(500));
    const store = await openStore();
    expect(store.damage?.lost).to.equal('database');
    await store.close();
  });

  it('does not touch an unreadable file', async () => {
    await rm(path);
    await mkdir(path);
    expect((await refusalOf(openStore())).code).to.equal('store_unavailable');
    expect(await setAside()).to.deep.equal([]);
  });
});

describe('DuckDBJobStore on a full disk', () => {
  before(function () {
    requireSmallDisks(this);
  });

  it('rejects what does not fit, loses no acknowledged write, and continues when there is space', () =>
    onSmallDisk(6, folder, async () => {
      const store = await openStore();
      const { acknowledged, refusal } = await fill(store);
      expect([refusal.code, refusal.retryable]).to.deep.equal(['store_unavailable', true]);
      expect((await store.countByStatus()).pending).to.equal(acknowledged.length);
      spawnSync('mount', ['-o', 'remount,size=32m', folder]);
      const [first] = acknowledged;
      if (first === undefined) throw new Error('not a single job fitted');
      const next = nextOf(first, 'running');
      expect(await store.save(next.job, next.transition)).to.equal(true);
      await insertMany(store, 5);
      await store.close();
      const again = await openStore();
      expect(again.damage).to.equal(undefined);
      for (const job of acknowledged.slice(1)) expect(await again.get(job.jobId)).to.deep.equal(job);
      expect(await again.countByStatus()).to.include({ pending: acknowledged.length + 4, running: 1 });
      await again.close();
    }));

  it('opens the database again after a checkpoint without space made it invalid', async () => {
    // Only the database is on the small disk, so the check of free space before a checkpoint passes.
    const small = join(folder, 'small');
    await mkdir(small);
    await onSmallDisk(2, small, async () => {
      const file = join(small, 'jobs.duckdb');
      await (await DuckDBJobStore.open({ path: file, log })).close();
      await writeFile(path, '');
      spawnSync('mount', ['--bind', file, path]);
      const failures = new EventEmitter();
      const failed = once(failures, 'checkpoint');
      const logged: string[] = [];
      const destination = {
        write: (line: string) => {
          logged.push(line);
          if (line.includes('a checkpoint failed')) failures.emit('checkpoint');
        },
      };
      const store = await DuckDBJobStore.open({ path, log: pino({ level: 'warn' }, destination) });
      const acknowledged: Job[] = [];
      const tokens = new Set<string>();
      for (let index = 0; index < 100; index++) {
        const { job, transition } = newJob({ snapshot: JSON.stringify(randomBytes(20_000).toString('base64')) });
        acknowledged.push(await store.insert(job, transition));
        tokens.add(store.changeToken());
      }
      await failed;
      expect(logged[0]).to.match(/"level":50,.*"err":\{.*No space left on device.*"msg":"a checkpoint failed"/);
      await store.ping();
      expect(logged[1]).to.match(/"level":40,.*"msg":"the database became invalid and is opened again"/);
      expect(await store.page('pending', 0, 1000)).to.deep.equal(acknowledged);
      expect((await insertMany(store, 1))[0]?.acceptedSeq).to.equal(101);
      expect(tokens.add(store.changeToken())).to.have.lengthOf(101);
      spawnSync('mount', ['-o', 'remount,size=32m', small]);
      await store.close();
      expect(await readdir(folder)).to.have.members(['jobs.duckdb', 'small']);
      spawnSync('umount', [path]);
      const moved = await DuckDBJobStore.open({ path: file, log });
      expect((await moved.countByStatus()).pending).to.equal(101);
      await moved.close();
      expect(await openFiles()).to.deep.equal([]);
    });
  });
});

/** Runs `work` with a file system of this many MiB mounted at `at`. */
async function onSmallDisk(sizeMiB: number, at: string, work: () => Promise<void>): Promise<void> {
  expect(mountSmallDisk(at, sizeMiB)).to.equal(undefined);
  try {
    await work();
  } finally {
    for (const mounted of [path, at]) unmount(mounted);
  }
}

/** Inserts jobs until one is rejected. */
async function fill(
  store: DuckDBJobStore,
): Promise<{ readonly acknowledged: readonly Job[]; readonly refusal: ServiceError }> {
  const acknowledged: Job[] = [];
  for (;;) {
    const { job, transition } = newJob({ snapshot: JSON.stringify('s'.repeat(20_000)) });
    try {
      acknowledged.push(await store.insert(job, transition));
    } catch (error) {
      if (error instanceof ServiceError) return { acknowledged, refusal: error };
      throw error;
    }
  }
}

function childPath(): string {
  return fileURLToPath(new URL('./writer-child.js', import.meta.url));
}
