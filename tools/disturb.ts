import { spawnSync } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { chmod, chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReelstateError } from '../src/client/reelstate-error.ts';
import type { JobId } from '../src/job.ts';
import { childrenOf, openFilesOf } from './child-processes.ts';
import { statusOf, submitVideo } from './job-requests.ts';
import { makeVideo } from './make-video.ts';
import { MAIN, startService, type ServiceProcess } from './service-process.ts';

/** An unprivileged user. */
const NOBODY = 65_534;
/** Enough attempts that no job fails because its child was killed. */
const SETTINGS = {
  LOG_LEVEL: 'warn',
  PIPELINE_THREADS: '1',
  WORKER_CONCURRENCY: '2',
  MAX_ATTEMPTS: '100',
  MAX_PENDING: '50',
  DISK_RESERVE_BYTES: String(1024 ** 2),
};
const REQUEST_MS = 10_000;
/** Maximum size of the service's files while its database is blocked: enough for these videos and results. */
const SMALL_FILE_BYTES = 64 * 1024;
/** Makes the clock of the service adjustable by a signal. */
const MOVED_CLOCK = new URL('moved-clock.js', import.meta.url).href;
/** Statuses that a client may receive while the environment refuses. */
const HONEST_REFUSALS: ReadonlySet<number> = new Set([408, 429, 503, 507]);

export interface DisturbOptions {
  /** Seconds of disturbance under load; longer if each disturbance has not been there once. */
  readonly seconds: number;
  /** Longest disturbance in seconds. */
  readonly longest: number;
  readonly submitters: number;
  /** True if the data folder is a small file system that can be filled. */
  readonly isSmallDisk: boolean;
  /** Time limit of the whole run. */
  readonly signal: AbortSignal;
  readonly onDisturbance?: (name: string, seconds: number) => void;
}

export interface DisturbReport {
  /** Accepted jobs, and whether their video is valid. */
  readonly accepted: ReadonlyMap<JobId, 'sound' | 'broken'>;
  /** How each of them ended. */
  readonly ended: ReadonlyMap<JobId, string>;
  /** Number of each disturbance. */
  readonly disturbances: ReadonlyMap<string, number>;
  /** Number of killed children; each may cost one attempt. */
  readonly childKills: number;
  /** Number of rejected submissions by status; `none` if the connection broke. */
  readonly refusals: ReadonlyMap<number | 'none', number>;
  /** Violations: another status, a changed final state, an exit. */
  readonly broken: readonly string[];
}

interface Disturbance {
  readonly name: string;
  /** Starts it; resolves with a function that ends it. */
  readonly begin: () => Promise<() => Promise<void>>;
}

/**
 * The real service under load in a refusing environment: unwritable or missing folders, a full disk, a blocked
 * database, no file descriptors, killed children, a moved clock, a stopped process. Each lasts some seconds, followed
 * by a pause. At the end the service finishes its work and is stopped.
 */
export async function disturb(dataDir: string, options: DisturbOptions): Promise<DisturbReport> {
  const { seconds, longest, submitters, isSmallDisk, signal, onDisturbance } = options;
  // Each request adds a listener, which is removed only at garbage collection.
  setMaxListeners(0, signal);
  const accepted = new Map<JobId, 'sound' | 'broken'>();
  const refusals = new Map<number | 'none', number>();
  const disturbances = new Map<string, number>();
  const broken: string[] = [];
  const videos = await makeVideos(dataDir);
  const user = unprivilegedUser();
  if (user !== undefined) await give(dataDir, user);
  const service = await startService({
    dataDir,
    signal,
    settings: { ...SETTINGS, NODE_OPTIONS: `--import=${MOVED_CLOCK}` },
    ...(user === undefined ? {} : { user }),
  });
  const killed = { children: 0 };
  const kinds = disturbancesOf(service, { dataDir, isSmallDisk, user, killed });

  const load = new AbortController();
  const submitter = async (): Promise<void> => {
    for (let turn = 0; !load.signal.aborted; turn += 1) {
      const kind = turn % 4 === 3 ? 'broken' : 'sound';
      const request = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]);
      try {
        const asked = { url: service.url, signal: request, videoPath: videos[kind], pipelineId: 'ocr_only' };
        accepted.set(await submitVideo(asked), kind);
      } catch (error) {
        // The client reports 0 without a response: without a descriptor the service cannot accept a connection.
        const status = error instanceof ReelstateError && error.status > 0 ? error.status : 'none';
        refusals.set(status, (refusals.get(status) ?? 0) + 1);
        if (status !== 'none' && !HONEST_REFUSALS.has(status))
          broken.push(`a submission got ${status}: ${String(error)}\n${service.lines.join('\n')}`);
      }
      await wait(150, undefined, { signal: load.signal }).catch(() => undefined);
    }
  };
  const working = Promise.all(Array.from({ length: submitters }, submitter));
  const ended = new Map<JobId, string>();
  try {
    const end = performance.now() + seconds * 1_000;
    for (let turn = 0; turn < kinds.length || performance.now() < end; turn += 1) {
      const kind = kinds[turn % kinds.length];
      if (kind === undefined) break;
      const lasts = Math.min(longest, 1 + Math.random() * longest);
      onDisturbance?.(kind.name, lasts);
      disturbances.set(kind.name, (disturbances.get(kind.name) ?? 0) + 1);
      const finish = await kind.begin();
      try {
        await wait(lasts * 1_000, undefined, { signal });
      } finally {
        await finish();
      }
      await wait(1_000, undefined, { signal });
    }
    load.abort();
    await working;
    for (const jobId of accepted.keys()) {
      for (;;) {
        const { status, error_code: code } = await statusOf(jobId, { url: service.url, signal });
        if (status === 'completed' || status === 'failed') {
          ended.set(jobId, code === undefined ? status : `${status} ${code}`);
          break;
        }
        await wait(100, undefined, { signal });
      }
    }
    const code = await service.stop();
    if (code !== 0) broken.push(`the service ended with ${code}`);
  } catch (cause) {
    const open = [...accepted.keys()].filter((jobId) => !ended.has(jobId));
    throw new Error(`${open.length} jobs have not ended; the service printed last:\n${service.lines.join('\n')}`, {
      cause,
    });
  } finally {
    load.abort();
    await service.kill().catch(() => undefined); // an abort has killed it already
  }
  return { accepted, ended, disturbances, childKills: killed.children, refusals, broken };
}

interface Place {
  readonly dataDir: string;
  readonly isSmallDisk: boolean;
  /** The user of the service; undefined: the current one. */
  readonly user: number | undefined;
  readonly killed: { children: number };
}

function disturbancesOf(
  { pid }: ServiceProcess,
  { dataDir, isSmallDisk, user, killed }: Place,
): readonly Disturbance[] {
  const incoming = path.join(dataDir, 'video_jobs', 'incoming');
  const away = path.join(dataDir, 'incoming-away');
  const filler = path.join(dataDir, 'filler');
  const bound: readonly Disturbance[] = [
    {
      name: 'unwritable incoming folder',
      begin: async () => {
        await chmod(incoming, 0o500);
        return () => chmod(incoming, 0o700);
      },
    },
    {
      name: 'unwritable folder of videos',
      begin: async () => {
        await chmod(path.dirname(incoming), 0o500);
        return () => chmod(path.dirname(incoming), 0o700);
      },
    },
  ];
  const onSmallDisk: readonly Disturbance[] = [
    {
      name: 'full disk, also for the database',
      begin: async () => {
        for (let bytes = 64 * 1024 ** 2; bytes >= 512; bytes /= 2) {
          await writeFile(filler, Buffer.alloc(bytes), { flag: 'a' }).catch(() => undefined);
        }
        return () => rm(filler, { force: true });
      },
    },
  ];
  return [
    // Permissions do not restrict root.
    ...(user !== undefined || process.getuid?.() !== 0 ? bound : []),
    {
      name: 'missing incoming folder',
      begin: async () => {
        await rename(incoming, away);
        return () => rename(away, incoming);
      },
    },
    ...(isSmallDisk ? onSmallDisk : []),
    {
      name: 'no file descriptor left',
      begin: async () => {
        const before = limitOf('nofile', pid, user);
        setLimit('nofile', pid, openFilesOf(pid).length, user);
        return async () => setLimit('nofile', pid, before, user);
      },
    },
    {
      name: 'blocked database',
      begin: async () => {
        // No file may grow beyond this, so the log of the database cannot. Node.js ignores SIGXFSZ, so the write fails.
        const log = await stat(path.join(dataDir, 'jobs.duckdb.wal')).catch(() => undefined);
        const before = limitOf('fsize', pid, user);
        setLimit('fsize', pid, Math.max(log?.size ?? 0, SMALL_FILE_BYTES), user);
        return async () => setLimit('fsize', pid, before, user);
      },
    },
    {
      name: 'moved clock',
      begin: async () => {
        process.kill(pid, 'SIGUSR2');
        return async () => void process.kill(pid, 'SIGUSR2');
      },
    },
    {
      name: 'killed children',
      begin: async () => {
        for (const child of childrenOf(pid)) {
          process.kill(child, 'SIGKILL');
          killed.children += 1;
        }
        return async () => {};
      },
    },
    {
      name: 'stopped service',
      begin: async () => {
        process.kill(pid, 'SIGSTOP');
        return async () => void process.kill(pid, 'SIGCONT');
      },
    },
  ];
}

/** The soft limit of open files or of file size. */
function limitOf(what: 'nofile' | 'fsize', pid: number, user: number | undefined): string {
  return prlimit(user, pid, `--${what}`, '--output=SOFT', '--noheadings', '--raw').trim();
}

function setLimit(what: 'nofile' | 'fsize', pid: number, soft: number | string, user: number | undefined): void {
  prlimit(user, pid, `--${what}=${soft}:`);
}

/** Run as the user of the process, because other users lack the capability. */
function prlimit(user: number | undefined, pid: number, ...options: readonly string[]): string {
  const by = user === undefined ? {} : { uid: user, gid: user };
  const ran = spawnSync('prlimit', ['--pid', String(pid), ...options], { encoding: 'utf8', ...by });
  if (ran.status !== 0) throw new Error(`prlimit: ${ran.stderr}`);
  return ran.stdout;
}

/**
 * Returns a user whom permissions restrict and who can run this service; undefined if that is the current one, or there
 * is none.
 */
function unprivilegedUser(): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const probe = spawnSync(process.execPath, ['--check', MAIN], { uid: NOBODY, gid: NOBODY, cwd: '/' });
  return probe.status === 0 ? NOBODY : undefined;
}

async function give(folder: string, user: number): Promise<void> {
  await chown(folder, user, user);
  for (const name of await readdir(folder, { recursive: true })) await chown(path.join(folder, name), user, user);
}

/** One that completes, and one that is accepted and fails. */
async function makeVideos(dataDir: string): Promise<Readonly<Record<'sound' | 'broken', string>>> {
  const folder = path.join(dataDir, 'videos');
  await mkdir(folder);
  const sound = path.join(folder, 'sound.mp4');
  makeVideo({ path: sound, width: 64, height: 48, frames: 3, picture: 'color=color=gray' });
  const broken = path.join(folder, 'broken.mp4');
  await writeFile(
    broken,
    Buffer.concat([Buffer.from('00000018', 'hex'), Buffer.from('ftypmp42'), Buffer.alloc(4_000)]),
  );
  return { sound, broken };
}
