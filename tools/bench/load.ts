/**
 * `node dist/tools/bench/load.js [jobs …]`: a thousand polling clients, two uploads and one running job; with recent
 * jobs, beside idle and slow connections, and with random jobs of the whole table, which costs most. Default: with 1000
 * and with 1000000 jobs.
 */
import { setMaxListeners } from 'node:events';
import { open, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { JobId } from '../../src/job.ts';
import { cpuSecondsOf, memoryOf } from '../child-processes.ts';
import { followJob, submitVideo } from '../job-requests.ts';
import { makeVideo } from '../make-video.ts';
import { startService, type ServiceProcess } from '../service-process.ts';
import { Experience, idleConnections, pollers, slowConnections, uploader } from './clients.ts';
import { median, percentile, print } from './figures.ts';
import { fillStore } from './filled-store.ts';

const MIB = 1024 * 1024;
const CLIENTS = 1000;
const POLL_EVERY_MS = 1000;
const UPLOAD_BYTES = 64 * MIB;
const UPLOAD_BYTES_PER_S = 16 * MIB;
const WARM_UP_MS = 10_000;
const MEASURED_MS = 30_000;
const IDLE = 1000;
const SLOW = 100;

const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'reelstate-bench-'));
try {
  const video = join(folder, 'video.mp4');
  makeVideo({ path: video, width: 1280, height: 720, frames: 100, picture: 'mandelbrot=start_scale=0.9' });
  const large = join(folder, 'large.mp4');
  makeVideo({ path: large, width: 64, height: 64, frames: 1 });
  await using file = await open(large, 'r+');
  await file.truncate(UPLOAD_BYTES);
  const sizes = process.argv.slice(2).map(Number);
  for (const jobs of sizes.length > 0 ? sizes : [1000, 1_000_000]) await benchLoad(jobs, video, large);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function benchLoad(jobs: number, video: string, large: string): Promise<void> {
  const dataDir = join(folder, `data-${jobs}`);
  await mkdir(dataDir);
  const ids = await fillStore(join(dataDir, 'jobs.duckdb'), { completed: jobs, pending: 0, sample: CLIENTS });
  const startedMs = performance.now();
  const service = await startService({
    dataDir,
    signal: new AbortController().signal,
    settings: { LOG_LEVEL: 'warn' },
  });
  print(`${jobs} jobs: ready after`, `${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  const { url } = service;
  const changed = groupSignal();
  const ended = groupSignal();
  // A separate signal, because fetch limits the number of listeners.
  const submitting = new AbortController();
  try {
    const polls = new Experience();
    const uploads = new Experience();
    const poll = (jobIds: readonly JobId[], { signal }: AbortController): Promise<void> =>
      pollers(
        jobIds.map((jobId) => `/video/status/${jobId}`),
        { url, signal, everyMs: POLL_EVERY_MS, experience: polls },
      );
    const clients = [
      poll(ids.newest, changed),
      ...Array.from({ length: 2 }, () =>
        uploader(large, { url, signal: ended.signal, bytesPerS: UPLOAD_BYTES_PER_S, experience: uploads }),
      ),
      keepAJobRunning(video, { url, signal: submitting.signal }),
    ];
    await wait(WARM_UP_MS);
    await measure(`${jobs} jobs, ${CLIENTS} poll, 2 upload, 1 runs`, service, polls);
    const idle = await idleConnections(IDLE, { url, signal: ended.signal });
    const slow = await slowConnections(SLOW, { url, signal: ended.signal });
    await measure(`${jobs} jobs, and ${IDLE} idle, ${SLOW} slow`, service, polls);
    const kept = (sockets: typeof idle): number => sockets.filter(({ destroyed }) => !destroyed).length;
    print(`${jobs} jobs: still connected`, `${kept(idle)} idle, ${kept(slow)} slow`);
    changed.abort();
    clients.push(poll(ids.fromAllOver, ended));
    await wait(WARM_UP_MS);
    await measure(`${jobs} jobs, ${CLIENTS} poll all over the table`, service, polls);
    const { latenciesMs, errors } = uploads.take();
    print(`${jobs} jobs: uploads of ${UPLOAD_BYTES / MIB} MiB`, `${latenciesMs.length} accepted, ${told(errors)}`);
    ended.abort();
    submitting.abort();
    await Promise.allSettled(clients);
  } finally {
    await service.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** For thousands of listeners. */
function groupSignal(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

async function measure(what: string, service: ServiceProcess, polls: Experience): Promise<void> {
  const before = { bytes: memoryOf(service.pid)?.now ?? 0, cpuS: cpuSecondsOf(service.pid) };
  polls.take();
  await wait(MEASURED_MS);
  const { latenciesMs, errors } = polls.take();
  const bytes = memoryOf(service.pid)?.now ?? 0;
  const seconds = MEASURED_MS / 1000;
  print(
    what,
    `${(latenciesMs.length / seconds).toFixed(0)} answers/s, p50 ${median(latenciesMs).toFixed(1)} ms, ` +
      `p99 ${percentile(latenciesMs, 99).toFixed(1)} ms, most ${percentile(latenciesMs, 100).toFixed(0)} ms, ${told(errors)}`,
  );
  print(
    '  the service',
    `${(before.bytes / MIB).toFixed(0)} MiB, then ${(bytes / MIB).toFixed(0)} MiB; ` +
      `${((cpuSecondsOf(service.pid) - before.cpuS) / seconds).toFixed(2)} cores busy`,
  );
}

async function keepAJobRunning(videoPath: string, query: { readonly url: string; readonly signal: AbortSignal }) {
  while (!query.signal.aborted) {
    const jobId = await submitVideo({ ...query, videoPath, pipelineId: 'ocr_only' });
    await followJob(jobId, query, () => {});
  }
}

function told(errors: readonly string[]): string {
  const kinds = [...new Set(errors)].slice(0, 3);
  return errors.length === 0 ? 'no error' : `${errors.length} errors: ${kinds.join(', ')}`;
}
