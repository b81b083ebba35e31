import { setMaxListeners } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sidecarSchema } from '../src/engine/sidecar.ts';
import { healthResponseSchema } from '../src/http/schemas.ts';
import type { JobId } from '../src/job.ts';
import { statusOf, submitVideo } from './job-requests.ts';
import { makeVideo } from './make-video.ts';
import { startService, type ServiceProcess } from './service-process.ts';

/** Enough attempts that no job fails because of the interruptions. */
const settings = { LOG_LEVEL: 'warn', PIPELINE_THREADS: '1', WORKER_CONCURRENCY: '2', MAX_ATTEMPTS: '100' };

export interface KillLoopOptions {
  readonly rounds: number;
  /** Number of parallel submitters. */
  readonly submitters: number;
  /** The kill comes at a random time within these milliseconds after the service is ready. */
  readonly killWithinMs: number;
  /** Time limit of the whole run. */
  readonly signal: AbortSignal;
  /** Returns a number in [0, 1); replaced to repeat a run. */
  readonly random?: () => number;
  readonly onRound?: (round: number, report: KillLoopReport) => void;
}

export interface KillLoopReport {
  /** Accepted jobs. */
  readonly accepted: ReadonlySet<JobId>;
  /** Final status of each job, read before a kill or after the last round. */
  readonly ended: ReadonlyMap<JobId, string>;
  readonly kills: number;
  /** Violations: a lost job, a changed final state, a status older than one read before. */
  readonly broken: readonly string[];
}

/**
 * The real service under load, killed with SIGKILL at random times and restarted on the same folder; at the end it
 * finishes its work and is stopped.
 */
export async function killLoop(dataDir: string, options: KillLoopOptions): Promise<KillLoopReport> {
  const { rounds, signal, random = Math.random, killWithinMs, submitters, onRound } = options;
  // Each request adds a listener, which is removed only at garbage collection.
  setMaxListeners(0, signal);
  const accepted = new Set<JobId>();
  const ended = new Map<JobId, string>();
  const broken: string[] = [];
  let kills = 0;
  const report: KillLoopReport = {
    accepted,
    ended,
    broken,
    get kills() {
      return kills;
    },
  };
  const videos = await makeVideos(dataDir);
  const start = () => startService({ dataDir, signal, settings });

  /** `updated_at` of the last status by job; ISO 8601 UTC, so that texts compare like times. */
  const seen = new Map<JobId, string>();
  const look = async (service: ServiceProcess, jobId: JobId, stop: AbortSignal): Promise<boolean> => {
    const asked = seen.get(jobId) ?? '';
    const { status, updated_at: at } = await statusOf(jobId, { url: service.url, signal: stop });
    if (at < asked) broken.push(`${jobId} was of ${asked} and is of ${at}`);
    if (at > (seen.get(jobId) ?? '')) seen.set(jobId, at);
    const before = ended.get(jobId);
    if (before !== undefined && before !== status) broken.push(`${jobId} was ${before} and is ${status}`);
    const isEnd = status === 'completed' || status === 'failed';
    if (isEnd) ended.set(jobId, status);
    return isEnd;
  };

  for (let round = 1; round <= rounds; round += 1) {
    const service = await start();
    const load = new AbortController();
    const both = AbortSignal.any([signal, load.signal]);
    setMaxListeners(0, both);
    const submitter = async (): Promise<void> => {
      while (!both.aborted) {
        const videoPath = videos[Math.floor(random() * videos.length)] ?? '';
        accepted.add(await submitVideo({ url: service.url, signal: both, videoPath, pipelineId: 'ocr_only' }));
        await wait(random() * 100, undefined, { signal: both });
      }
    };
    const watcher = async (): Promise<void> => {
      for (;;) {
        for (const jobId of [...accepted].slice(-50)) await look(service, jobId, both);
        await wait(50, undefined, { signal: both });
      }
    };
    const working = Promise.allSettled([watcher(), ...Array.from({ length: submitters }, submitter)]);
    await wait(random() * killWithinMs, undefined, { signal });
    // A busy machine may not have accepted any job by then.
    while (accepted.size === 0) await wait(50, undefined, { signal });
    await service.kill();
    kills += 1;
    load.abort();
    await working;
    onRound?.(round, report);
  }

  const service = await start();
  for (let open = [...accepted]; open.length > 0;) {
    const still: JobId[] = [];
    for (const jobId of open) {
      try {
        if (!(await look(service, jobId, signal))) still.push(jobId);
      } catch (error) {
        broken.push(`${jobId} was accepted: ${String(error)}`);
      }
    }
    open = still;
    if (open.length > 0) await wait(100, undefined, { signal });
  }
  await everyJobEnded(path.join(dataDir, 'video_jobs'), signal);
  await indexed(service, signal);
  const code = await service.stop();
  if (code !== 0) broken.push(`the last stop ended with ${code}`);
  return report;
}

/**
 * Resolves when every sidecar has an outcome, also those of uploads whose 202 the kill cut off, which no client can
 * query and which the last start restores behind all others.
 */
async function everyJobEnded(folder: string, signal: AbortSignal): Promise<void> {
  const done = new Set<string>();
  for (;;) {
    const names = (await readdir(folder)).filter((name) => /^[0-9a-f-]{36}\.json$/.test(name) && !done.has(name));
    for (const name of names) {
      const text = await readFile(path.join(folder, name), 'utf8').catch(() => '');
      if (text !== '' && sidecarSchema.parse(JSON.parse(text)).outcome !== null) done.add(name);
    }
    if (names.every((name) => done.has(name))) return;
    await wait(200, undefined, { signal });
  }
}

/** Resolves when the search index has all jobs. */
async function indexed({ url }: ServiceProcess, signal: AbortSignal): Promise<void> {
  const health = async () => healthResponseSchema.parse(await (await fetch(`${url}/health`, { signal })).json());
  while ((await health()).search_index !== 'complete') await wait(50, undefined, { signal });
}

/** Two that complete, one of them with a text to be found, and one that is accepted and fails. */
async function makeVideos(dataDir: string): Promise<readonly string[]> {
  const folder = await mkdtemp(path.join(dataDir, 'videos-'));
  const good = path.join(folder, 'good.mp4');
  makeVideo({ path: good, width: 64, height: 48, frames: 1, picture: 'color=color=gray' });
  const written = path.join(folder, 'written.mp4');
  const captions = [{ text: 'Gate B12', x: 16, y: 16, size: 28 }];
  makeVideo({ path: written, width: 192, height: 64, frames: 1, picture: 'color=color=gray', captions });
  const bad = path.join(folder, 'bad.mp4');
  await writeFile(bad, Buffer.concat([Buffer.from('00000018', 'hex'), Buffer.from('ftypmp42'), Buffer.alloc(4_000)]));
  return [good, good, written, bad];
}

/** A folder for the service of a loop, removed by `Symbol.asyncDispose`. */
export async function loopFolder(): Promise<AsyncDisposable & { readonly dataDir: string }> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'reelstate-kill-'));
  return { dataDir, [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true, force: true }) };
}
