import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { childrenOf } from '../child-processes.ts';
import { startService } from '../service-process.ts';
import { attempt } from './attempt.ts';
import { placeCanaries } from './canary.ts';
import { makeMutant, type Mutant } from './mutant.ts';
import { MUTATIONS } from './mutations.ts';
import { Random } from './random.ts';
import { makeSeedVideos, type SeedVideo } from './seed-videos.ts';

export interface TraceOptions {
  readonly folder: string;
  readonly signal: AbortSignal;
}

export interface TraceReport {
  /** The system calls, one per line, such as `openat /data/video_jobs/1.mp4`. */
  readonly calls: readonly string[];
  /** Those that no job needs; empty if there are none. */
  readonly findings: readonly string[];
}

/** System calls that access files, other machines and programs. */
const CALLS = 'open,openat,openat2,connect,execve,execveat';

/**
 * What the child may read in addition to its video: its program, and what the kernel reports about it and the machine.
 */
const OWN_CODE = [/\/node_modules\//, /\/src\/pipeline\/models\//, /^\/(usr\/)?lib\d*\//, /\/(src|dist)\/.*\.js$/];
const OF_THE_SYSTEM = [/^\/proc\/(self|\d+|meminfo|cpuinfo|stat)/, /^\/sys\//, /^\/dev\/(u?random|null)$/];

/**
 * Traces the child process during a valid video, one whose samples are declared in another file, and a disguised
 * playlist. Undefined if tracing is not possible: no strace, or no permission.
 */
export async function traceChild({ folder, signal }: TraceOptions): Promise<TraceReport | undefined> {
  const dataDir = join(folder, 'data');
  const tracePath = join(folder, 'trace.txt');
  const videos = await makeSeedVideos(folder);
  await using service = closing(
    await startService({ dataDir, signal, settings: { LOG_LEVEL: 'error', PIPELINE_THREADS: '1', MAX_ATTEMPTS: '1' } }),
  );
  const storageDir = join(dataDir, 'video_jobs');
  const { videoPath } = await placeCanaries(storageDir);
  const [child] = childrenOf(service.pid);
  if (child === undefined) throw new Error('the service has no child');
  const detach = await attach(child, tracePath);
  if (detach === undefined) return undefined;
  const links = join(storageDir, 'links');
  try {
    for (const mutant of suspects(videos, videoPath)) {
      await attempt(service.url, mutant, signal);
    }
  } finally {
    await detach();
  }
  const calls = (await readFile(tracePath, 'utf8')).split('\n').flatMap((line) => callOf(line) ?? []);
  const isVideo = (path: string): boolean =>
    path.startsWith(links) && /^\/child-\w+\/video\.mp4$/.test(path.slice(links.length));
  const isAllowed = (call: string): boolean => {
    const [name = '', path = ''] = call.split(/ (.*)/);
    if (!name.startsWith('open')) return false;
    return isVideo(path) || [...OWN_CODE, ...OF_THE_SYSTEM].some((pattern) => pattern.test(path));
  };
  const findings = calls.filter((call) => !isAllowed(call));
  if (!calls.some((call) => isVideo(call.replace(/^\w+ /, '')))) findings.push('no video was opened');
  return { calls, findings };
}

function suspects(videos: readonly SeedVideo[], canaryPath: string): readonly Mutant[] {
  const [video, other] = videos;
  if (video === undefined || other === undefined) throw new Error('no videos');
  const elsewhere = Array.from({ length: 8 }, (_, place) =>
    MUTATIONS['samples in another file']({
      bytes: video.bytes,
      other: other.bytes,
      canaryPath,
      random: Random.of(`place ${place}`),
    }),
  );
  const fileType = video.bytes.subarray(0, video.bytes.readUInt32BE(0));
  const playlist = Buffer.from('\n#EXTM3U\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n');
  return [
    sent('whole', video.bytes),
    ...elsewhere.map((bytes) => sent('samples in another file', bytes)),
    sent('a playlist in disguise', Buffer.concat([fileType, playlist])),
    makeMutant({ videos, canaryPath, seed: 1, index: 0 }),
  ];
}

function sent(story: string, bytes: Buffer): Mutant {
  return { bytes, story, fileName: 'secret.ts', frameStride: 5 };
}

/** Starts to trace a process and all of its threads, and resolves with a function that ends it. */
async function attach(pid: number, path: string): Promise<(() => Promise<void>) | undefined> {
  const strace = spawn('strace', ['-f', '-s', '4096', '-e', `trace=${CALLS}`, '-o', path, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(strace, 'close');
  ended.catch(() => undefined);
  const begun = new Promise<boolean>((resolve) => {
    strace.once('error', () => resolve(false));
    strace.once('close', () => resolve(false));
    createInterface({ input: strace.stderr }).on('line', (line) => {
      if (line.includes(' attached')) resolve(true);
    });
  });
  if (!(await begun)) return undefined;
  return async () => {
    strace.kill('SIGINT');
    await ended;
  };
}

/** Returns `14162 openat(AT_FDCWD, "/data/1.mp4", O_RDONLY) = 3` as `openat /data/1.mp4`; undefined for other lines. */
function callOf(line: string): string | undefined {
  const call = /^\d+ +(\w+)\((.*)/.exec(line);
  const [, name = '', rest = ''] = call ?? [];
  if (call === null) return undefined;
  return `${name} ${/"((?:[^"\\]|\\.)*)"/.exec(rest)?.[1] ?? rest}`;
}

function closing<T extends { stop(): Promise<number | string> }>(service: T): T & AsyncDisposable {
  return Object.assign(service, {
    [Symbol.asyncDispose]: async () => {
      await service.stop();
    },
  });
}
