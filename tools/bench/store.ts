/**
 * `node dist/tools/bench/store.js [rows …]`: the job store compared with its disk. Default: 1000 100000 1000000 rows.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { jobIdSchema, type Job, type JobId, type JobStatus, type JobTransition } from '../../src/job.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { CONTEXT, fillStore, SNAPSHOT } from './filled-store.ts';

const log = pino({ level: 'warn' });
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'reelstate-bench-'));
try {
  const sizes = process.argv.slice(2).map(Number);
  print('disk: append 450 bytes and fdatasync', `${fdatasyncRate(join(folder, 'sync'), 1000)}/s`);
  await benchWrites(join(folder, 'writes.duckdb'));
  for (const rows of sizes.length > 0 ? sizes : [1000, 100_000, 1_000_000]) {
    await benchSize(join(folder, `${rows}.duckdb`), rows);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function benchWrites(path: string): Promise<void> {
  const store = await DuckDBJobStore.open({ path, log });
  for (const [callers, count] of [
    [50, 2000], // warms up
    [1, 300],
    [50, 15_000],
    [200, 30_000],
  ] as const) {
    print(`insert, ${callers} callers`, await rateOf(callers, count, () => insert(store)));
  }
  for (const [callers, count] of [
    [1, 200],
    [50, 6000],
    [200, 12_000],
  ] as const) {
    print(`insert, START and COMPLETE, ${callers} callers`, await rateOf(callers, count, () => liveOf(store)));
  }
  await store.close();
}

/** Creates a database of `rows` finished jobs and a tenth as many pending ones. */
async function benchSize(path: string, rows: number): Promise<void> {
  await fillStore(path, { completed: rows, pending: Math.ceil(rows / 10), sample: 0 });
  const before = performance.now();
  const store = await DuckDBJobStore.open({ path, log });
  const opened = performance.now();
  const counts = await store.countByStatus();
  const counted = performance.now();
  const pending: JobId[] = [];
  let afterSeq = 0;
  for (;;) {
    const page = await store.page('pending', afterSeq, 2000);
    if (page.length === 0) break;
    for (const { jobId } of page) pending.push(jobId);
    afterSeq = page.at(-1)?.acceptedSeq ?? afterSeq;
  }
  const paged = performance.now();
  await store.page('running', 0, 2000);
  const label = `${rows} finished, ${counts.pending} pending:`;
  print(`${label} open`, elapsed(before, opened));
  print(`${label} countByStatus`, elapsed(opened, counted));
  print(`${label} all ${pending.length} pending, 2000 a page`, elapsed(counted, paged));
  const pick = () => pending[Math.floor(Math.random() * pending.length)] ?? jobIdSchema.parse(uuidv7());
  print(`${label} get, 1 caller`, await rateOf(1, 500, () => store.get(pick())));
  print(`${label} get, 50 callers`, await rateOf(50, 3000, () => store.get(pick())));
  // Some checkpoints fall into this; one is due per 16 MiB of log.
  let writing = true;
  const reading = [() => store.get(pick()), () => store.newest({}, 50)].map((read) => slowest(() => writing, read));
  print(`${label} insert while checkpoints run, 50 callers`, await rateOf(50, 40_000, () => insert(store)));
  writing = false;
  const [get = 0, list = 0] = await Promise.all(reading);
  print(`${label} slowest get, slowest list meanwhile`, `${get.toFixed(0)} ms, ${list.toFixed(0)} ms`);
  print(`${label} START and COMPLETE with them, 50 callers`, await rateOf(50, 6000, () => liveOf(store)));
  await store.close();
}

function insert(store: DuckDBJobStore): Promise<Job> {
  const jobId = jobIdSchema.parse(uuidv7());
  const createdAt = new Date().toISOString();
  return store.insert(
    {
      jobId,
      status: 'pending',
      pipelineId: 'ocr_only',
      options: { frame_stride: 1 },
      inputPath: `${jobId}.mp4`,
      outputPath: null,
      errorCode: null,
      errorMessage: null,
      expiredAt: null,
      fileName: null,
      tag: null,
      media: null,
      revision: 1,
      attempt: 0,
      machineVersion: 1,
      snapshot: SNAPSHOT,
      createdAt,
      updatedAt: createdAt,
    },
    transitionOf(jobId, 1, null, 'SUBMIT', 'pending'),
  );
}

async function liveOf(store: DuckDBJobStore): Promise<void> {
  let job = await insert(store);
  for (const [event, status] of [
    ['START', 'running'],
    ['COMPLETE', 'completed'],
  ] as const) {
    const next: Job = { ...job, status, revision: job.revision + 1, attempt: 1, updatedAt: new Date().toISOString() };
    const saved = await store.save(next, transitionOf(job.jobId, next.revision, job.status, event, status));
    if (!saved) throw new Error('a save was refused');
    job = next;
  }
}

function transitionOf(
  jobId: JobId,
  seq: number,
  fromState: JobStatus | null,
  event: string,
  toState: JobStatus,
): JobTransition {
  return {
    jobId,
    seq,
    attempt: 1,
    fromState,
    event,
    toState,
    context: CONTEXT,
    occurredAt: new Date().toISOString(),
  };
}

/** Reads repeatedly until the signal; resolves with the longest read in milliseconds. */
async function slowest(mayGoOn: () => boolean, read: () => Promise<unknown>): Promise<number> {
  let most = 0;
  while (mayGoOn()) {
    const start = performance.now();
    await read();
    most = Math.max(most, performance.now() - start);
  }
  return most;
}

/** Runs `work` `count` times with `callers` in parallel. */
async function rateOf(callers: number, count: number, work: () => Promise<unknown>): Promise<string> {
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left-- > 0) {
        const start = performance.now();
        await work();
        latencies.push(performance.now() - start);
      }
    }),
  );
  const seconds = (performance.now() - before) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
  return `${Math.round(count / seconds)}/s  p50 ${at(0.5)}  p99 ${at(0.99)}  max ${at(1)} ms  CPU ${Math.round((user + system) / count)} us each`;
}

function fdatasyncRate(path: string, count: number): number {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(450, 1);
  const before = performance.now();
  for (let index = 0; index < count; index++) {
    writeSync(file, block);
    fdatasyncSync(file);
  }
  closeSync(file);
  return Math.round((count / (performance.now() - before)) * 1000);
}

function elapsed(fromMs: number, toMs: number): string {
  return `${(toMs - fromMs).toFixed(0)} ms`;
}

function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(70)} ${value}\n`);
}
