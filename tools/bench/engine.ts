/** `node dist/tools/bench/engine.js`: jobs without work, through engine, store and queue. */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { createEngine } from '../../src/engine/job-engine.ts';
import { Worker } from '../../src/engine/worker.ts';
import { ServiceError } from '../../src/errors.ts';
import type { FrameResult } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import { InMemoryQueueService } from '../../src/queue/memory.ts';
import { LocalStorageService } from '../../src/storage/local.ts';
import type { StorageService } from '../../src/storage/storage-service.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';

const log = createLog('silent');

/** A storage that keeps nothing and has every video, so that only engine, store and queue are measured. */
const noStorage: StorageService = {
  saveFile: async (source, path) => {
    if (Symbol.asyncIterator in source) for await (const _ of source);
    return path;
  },
  loadFile: async (path) => {
    if (path.endsWith('.mp4')) return path;
    throw new ServiceError('file_missing', `There is no ${path}`);
  },
  deleteFile: async () => {},
  list: async function* () {},
  moveFile: async (_, path) => path,
  foldersIn: async () => [],
  deleteFolder: async () => {},
  sweepIncoming: async () => {},
};

async function* nothing(): AsyncGenerator<FrameResult> {}

interface Course {
  readonly jobs: number;
  readonly submitters: number;
  readonly workers: number;
  readonly isStored: boolean;
}

async function run({ jobs, submitters, workers, isStored }: Course): Promise<Readonly<Record<string, number>>> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstate-bench-'));
  const local = await LocalStorageService.open({ baseDir: join(folder, 'video_jobs') });
  const store = await DuckDBJobStore.open({ path: join(folder, 'jobs.duckdb'), log });
  try {
    const storage = isStored ? local : noStorage;
    const queue = new InMemoryQueueService();
    const pipelines = {
      list: () => [{ id: 'none', description: '', nodes: [], edges: [], outputs: [] }],
      runOnFile: nothing,
    };
    const { engine } = createEngine({ store, queue, storage, pipelines, maxAttempts: 3, maxPending: jobs + 1, log });
    const acceptedAt = new Map<string, number>();
    const pickUp: number[] = [];
    const waitsForEnd = new Map<string, () => void>();
    engine.onTransition(({ jobId }, { event }) => {
      if (event === 'SUBMIT') acceptedAt.set(jobId, performance.now());
      if (event === 'START') pickUp.push(performance.now() - (acceptedAt.get(jobId) ?? 0));
      if (event !== 'COMPLETE') return;
      waitsForEnd.get(jobId)?.();
      waitsForEnd.set(jobId, () => {});
    });
    /** Each submitter has one job at a time. */
    const end = (jobId: string): Promise<void> =>
      new Promise((resolve) => {
        if (waitsForEnd.has(jobId)) resolve();
        else waitsForEnd.set(jobId, resolve);
      });
    const pool = Array.from(
      { length: workers },
      () => new Worker({ engine, queue, storage, pipelines, jobTimeoutMs: 60_000, maxResultsBytes: 1e9, log }),
    );
    const running = pool.map((worker) => worker.runForever());
    let left = jobs;
    const submitter = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const uploadPath = join(local.incomingDir, uuidv7());
        if (isStored) await writeFile(uploadPath, 'a video');
        const { jobId } = await engine.submit({
          video: { adopt: uploadPath },
          pipelineId: 'none',
          options: { frame_stride: 1 },
        });
        if (workers > 0) await end(jobId);
      }
    };
    const cpuBefore = process.cpuUsage();
    const began = performance.now();
    await Promise.all(Array.from({ length: submitters }, submitter));
    const perSecond = Math.round(jobs / ((performance.now() - began) / 1_000));
    const { user, system } = process.cpuUsage(cpuBefore);
    for (const worker of pool) worker.drain();
    await Promise.all(running);
    const sorted = pickUp.toSorted((a, b) => a - b);
    return {
      [workers === 0 ? 'submits/s' : 'jobs/s']: perSecond,
      'CPU us/job': Math.round((user + system) / jobs),
      ...(workers === 0
        ? {}
        : {
            'pick-up p50 ms': round(sorted[Math.floor(sorted.length / 2)]),
            'pick-up p99 ms': round(sorted[Math.floor(sorted.length * 0.99)]),
          }),
    };
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const round = (value = Number.NaN): number => Math.round(value * 100) / 100;

/** The disk alone: appends and syncs of 450 bytes per second. */
async function fdatasyncRate(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstate-bench-'));
  const file = await open(join(folder, 'log'), 'w');
  const began = performance.now();
  for (let n = 0; n < 500; n += 1) {
    await file.write(Buffer.alloc(450));
    await file.datasync();
  }
  const rate = 500 / ((performance.now() - began) / 1_000);
  await file.close();
  await rm(folder, { recursive: true });
  return Math.round(rate);
}

const COURSES: Readonly<Record<string, Course>> = {
  'enqueue, 1 submitter': { jobs: 1_000, submitters: 1, workers: 0, isStored: false },
  'enqueue, 50 submitters': { jobs: 20_000, submitters: 50, workers: 0, isStored: false },
  'end to end, 1 submitter': { jobs: 500, submitters: 1, workers: 1, isStored: false },
  'end to end, 50 submitters': { jobs: 10_000, submitters: 50, workers: 50, isStored: false },
  'enqueue with video and sidecar, 50 submitters': { jobs: 2_000, submitters: 50, workers: 0, isStored: true },
  'end to end with files, 50 submitters': { jobs: 1_000, submitters: 50, workers: 50, isStored: true },
};
for (const [name, course] of Object.entries(COURSES)) {
  const rate = await fdatasyncRate();
  console.log(name.padEnd(46), JSON.stringify({ 'fdatasync/s': rate, ...(await run(course)) }));
}
