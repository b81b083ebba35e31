/**
 * `node dist/tools/bench/growth.js [jobs …]`: the service on databases of finished jobs with a tenth as many pending.
 * Default: 0 1000 100000 1000000.
 */
import { setMaxListeners } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, memoryOf } from '../child-processes.ts';
import { submitVideo } from '../job-requests.ts';
import { makeVideo } from '../make-video.ts';
import { startService, type ServiceProcess } from '../service-process.ts';
import { cpuSeconds, median, percentile, print } from './figures.ts';
import { fillStore } from './filled-store.ts';

const MIB = 1024 * 1024;
const SETTINGS = {
  LOG_LEVEL: 'warn',
  PIPELINE_THREADS: '1',
  MAX_PENDING: '10000000',
  REQUESTS_PER_S: '1000000',
  STALL_TIMEOUT_MS: '86400000',
};

const { signal } = new AbortController();
// Each request adds a listener, which is removed only at garbage collection.
setMaxListeners(0, signal);
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'reelstate-bench-'));
try {
  const sizes = process.argv.slice(2).map(Number);
  const video = join(folder, 'video.mp4');
  makeVideo({ path: video, width: 320, height: 192, frames: 3000, picture: 'mandelbrot=start_scale=0.9' });
  const small = join(folder, 'small.mp4');
  makeVideo({ path: small, width: 64, height: 48, frames: 1 });
  for (const jobs of sizes.length > 0 ? sizes : [0, 1_000, 100_000, 1_000_000]) await benchSize(jobs, video, small);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** @param video of the first pending job: long, so that no other job starts during the measurement */
async function benchSize(jobs: number, video: string, small: string): Promise<void> {
  const dataDir = join(folder, `data-${jobs}`);
  await mkdir(join(dataDir, 'video_jobs'), { recursive: true });
  const { fromAllOver: sample, firstWaiting: first } = await fillStore(join(dataDir, 'jobs.duckdb'), {
    completed: jobs,
    pending: Math.ceil(jobs / 10),
    sample: 2_000,
  });
  if (first !== undefined) await copyFile(video, join(dataDir, 'video_jobs', `${first}.mp4`));
  const startedMs = performance.now();
  const service = await startService({ dataDir, signal, settings: SETTINGS });
  const readyMs = performance.now() - startedMs;
  const cpuBefore = await cpuSeconds(service.pid);
  const told = (what: string, figure: string): void =>
    print(`${jobs} finished, ${Math.ceil(jobs / 10)} waiting: ${what}`, figure);
  // The running job keeps running and uses nothing that is measured.
  const children = childrenOf(service.pid);
  for (const pid of children) process.kill(pid, 'SIGSTOP');
  try {
    const inChildren = (await Promise.all(children.map(cpuSeconds))).reduce((sum, one) => sum + one, 0);
    told(
      'from spawn to ready',
      `${readyMs.toFixed(0)} ms; ${seconds(cpuBefore)} CPU s, and ${seconds(inChildren)} that load and warm models`,
    );
    told('memory when ready', memory(service));
    if (sample.length > 0) {
      const status = () => get(service, `/video/status/${sample[Math.floor(Math.random() * sample.length)]}`);
      await times(service, 1, 200, status); // warms up
      told('status, 1 caller', await times(service, 1, 1_000, status));
      told('status, 50 callers', await times(service, 50, 5_000, status));
    }
    told('list of 50, 1 caller', await times(service, 1, 200, () => get(service, '/video/jobs')));
    const submit = () => submitVideo({ url: service.url, signal, videoPath: small, pipelineId: 'ocr_only' });
    told('submit, 1 caller', await times(service, 1, 200, submit));
    told('submit, 50 callers', await times(service, 50, 1_000, submit));
    told('memory afterwards', memory(service));
  } finally {
    for (const pid of children) process.kill(pid, 'SIGCONT');
    await service.kill();
  }
  await rm(dataDir, { recursive: true });
}

async function get({ url }: ServiceProcess, path: string): Promise<void> {
  const answer = await fetch(url + path, { signal });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
}

/** Runs it repeatedly with this concurrency. The CPU time is the service's, background work included. */
async function times(
  { pid }: ServiceProcess,
  callers: number,
  count: number,
  work: () => Promise<unknown>,
): Promise<string> {
  const ms: number[] = [];
  const cpuBefore = await cpuSeconds(pid);
  const begunMs = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left-- > 0) {
        const askedMs = performance.now();
        await work();
        ms.push(performance.now() - askedMs);
      }
    }),
  );
  const perSecond = (count * 1000) / (performance.now() - begunMs);
  const [p50, p99, most] = [median(ms), percentile(ms, 99), percentile(ms, 100)].map((value) => value.toFixed(1));
  const cpuMs = (((await cpuSeconds(pid)) - cpuBefore) * 1000) / count;
  return `p50 ${p50}, p99 ${p99}, most ${most} ms; ${perSecond.toFixed(0)}/s, ${cpuMs.toFixed(2)} CPU ms each`;
}

function seconds(value: number): string {
  return value.toFixed(2);
}

function memory({ pid }: ServiceProcess): string {
  const { now, peak } = memoryOf(pid) ?? { now: Number.NaN, peak: Number.NaN };
  return `${(now / MIB).toFixed(0)} MiB, ${(peak / MIB).toFixed(0)} MiB at most`;
}
