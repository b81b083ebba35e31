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

/** The user `nobody`, whom permissions bind. */
const NOBODY = 65_534;
/** Attempts enough that no job fails because its child was killed. */
const SETTINGS = {
  LOG_LEVEL: 'warn',
  PIPELINE_THREADS: '1',
  WORKER_CONCURRENCY: '2',
  MAX_ATTEMPTS: '100',
  MAX_PENDING: '50',
  DISK_RESERVE_BYTES: String(1024 ** 2),
};
const REQUEST_MS = 10_000;
/** Bytes that a file of the service may have at least while its database is blocked: enough for these videos and results. */
const SMALL_FILE_BYTES = 64 * 1024;
/** Makes the clock of the service one that a signal moves. */
const MOVED_CLOCK = new URL('moved-clock.js', import.meta.url).href;
/** What a client may be told while the environment refuses. */
const HONEST_REFUSALS: ReadonlySet<number> = new Set([408, 429, 503, 507]);

export interface DisturbOptions {
  /** Seconds for which the service is disturbed under load. */
  readonly seconds: number;
  /** Seconds that one disturbance lasts at most. */
  readonly longest: number;
  readonly submitters: number;
  /** True when the data folder is a small file system of its own, which can be filled. */
  readonly isSmallDisk: boolean;
  /** For everything. */
  readonly signal: AbortSignal;
  readonly onDisturbance?: (name: string, seconds: number) => void;
}

export interface DisturbReport {
  /** Jobs whose 202 was read, and whether their video is sound. */
  readonly accepted: ReadonlyMap<JobId, 'sound' | 'broken'>;
  /** How each of them ended. */
  readonly ended: ReadonlyMap<JobId, string>;
  /** How often each disturbance happened. */
  readonly disturbances: ReadonlyMap<string, number>;
  /** Children that were killed; each may cost one attempt. */
  readonly childKills: number;
  /** How often a submission was refused, by status; `none` where the connection broke. */
  readonly refusals: ReadonlyMap<number | 'none', number>;
  /** What must not be: another status, an end that changed, an exit. */
  readonly broken: readonly string[];
}

interface Disturbance {
  readonly name: string;
  /** Begins it; resolves with what ends it. */
  readonly begin: () => Promise<() => Promise<void>>;
}

/**
 * The real service under load while its environment refuses: its folders cannot be written or are gone, its disk is
 * full, its database cannot be written, it may open no file, its children are killed, its clock is moved, it is stopped.
 * Each lasts some seconds, and a pause follows. At the end the service finishes its work and is stopped.
 */
export async function disturb(dataDir: string, options: DisturbOptions): Promise<DisturbReport> {
  const { seconds, longest, submitters, isSmallDisk, signal, onDisturbance } = options;
  // Each request listens to it, and is forgotten only when it is collected.
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
        // The client says 0 where no response came: without a descriptor the service cannot take a connection.
        const status = error instanceof ReelstateError && error.status > 0 ? error.status : 'none';
        refusals.set(status, (refusals.get(status) ?? 0) + 1);
        if (status !== 'none' && !HONEST_REFUSALS.has(status))
          broken.push(`a submission got ${status}: ${String(error)}`);
      }
      await wait(150, undefined, { signal: load.signal }).catch(() => undefined);
    }
  };
  const working = Promise.all(Array.from({ length: submitters }, submitter));
  const ended = new Map<JobId, string>();
  try {
    const end = performance.now() + seconds * 1_000;
    for (let turn = 0; performance.now() < end; turn += 1) {
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
  /** Whom the service runs as; undefined: as we do. */
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
    // Permissions do not bind root.
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
        // No file may grow beyond this, so the log of the database cannot. Node.js ignores SIGXFSZ: the write fails.
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

/** The soft limit of open files, or of the bytes of a file. */
function limitOf(what: 'nofile' | 'fsize', pid: number, user: number | undefined): string {
  return prlimit(user, pid, `--${what}`, '--output=SOFT', '--noheadings', '--raw').trim();
}

function setLimit(what: 'nofile' | 'fsize', pid: number, soft: number | string, user: number | undefined): void {
  prlimit(user, pid, `--${what}=${soft}:`);
}

/** Run as the user of the process: without a capability nobody else may. */
function prlimit(user: number | undefined, pid: number, ...options: readonly string[]): string {
  const by = user === undefined ? {} : { uid: user, gid: user };
  const ran = spawnSync('prlimit', ['--pid', String(pid), ...options], { encoding: 'utf8', ...by });
  if (ran.status !== 0) throw new Error(`prlimit: ${ran.stderr}`);
  return ran.stdout;
}

/** Someone whom permissions bind and who can run this service; undefined where we are bound ourselves, or nobody is. */
function unprivilegedUser(): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const probe = spawnSync(process.execPath, ['--check', MAIN], { uid: NOBODY, gid: NOBODY, cwd: '/' });
  return probe.status === 0 ? NOBODY : undefined;
}

async function give(folder: string, user: number): Promise<void> {
  await chown(folder, user, user);
  for (const name of await readdir(folder, { recursive: true })) await chown(path.join(folder, name), user, user);
}

/** One that completes, and one that passes for a video at the door and fails. */
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
