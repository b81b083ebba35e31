/** `node dist/tools/bench/jobs.js [frames of the long video]`: whole jobs in child processes. Default 1000; 20000 takes an hour. */
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/log.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { PooledPipeline } from '../../src/pool/pooled-pipeline.ts';
import { ProcessPool } from '../../src/pool/process-pool.ts';
import { makeVideo } from '../make-video.ts';
import { cpuSeconds, print } from './figures.ts';

const MEMORY_BYTES = 900_000_000;
const MIB = 1024 * 1024;

interface Course {
  readonly path: string;
  readonly pipelineId: string;
  readonly threads: number;
  readonly analyseRepeats?: boolean;
}

const folder = await mkdtemp(join(tmpdir(), 'reelstate-bench-'));
try {
  const long = Number(process.argv[2] ?? 1000);
  const moving = video('moving', 120, 'mandelbrot=start_scale=0.9');
  const still = video('still', 120, 'color=color=gray');
  for (const pipelineId of ['ocr_only', 'yolo_ocr']) {
    const one = await run({ path: moving, pipelineId, threads: 1 });
    const two = await run({ path: moving, pipelineId, threads: 2 });
    const by = `${(two.framesPerSecond / one.framesPerSecond).toFixed(2)} times one thread`;
    print(`${pipelineId}, 1280x720, 1 inference thread`, told(one));
    print(`${pipelineId}, 1280x720, 2 inference threads`, `${told(two)}, ${by}`);
  }
  const known = await run({ path: still, pipelineId: 'ocr_only', threads: 2 });
  const anew = await run({ path: still, pipelineId: 'ocr_only', threads: 2, analyseRepeats: true });
  print('static screen, identical frames analysed once', told(known));
  print(
    'static screen, every frame analysed',
    `${told(anew)}; ${(known.framesPerSecond / anew.framesPerSecond).toFixed(1)} times slower`,
  );
  for (const frames of [long / 10, long]) {
    const path = video(`long-${frames}`, frames, 'mandelbrot=start_scale=0.9', 320, 180);
    const { peakBytes: bytes } = await run({ path, pipelineId: 'yolo_ocr', threads: 2 });
    print(`memory of the child over ${frames} frames`, `${(bytes / MIB).toFixed(0)} MiB at most`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function video(name: string, frames: number, picture: string, width = 1280, height = 720): string {
  const path = join(folder, `${name}.mp4`);
  const captions = [
    { text: 'BREAKING NEWS', x: 20, y: 'h*0.75', size: Math.round(height / 16), box: 'red' },
    { text: 'HOME 3 - 2 AWAY', x: 20, y: 20, size: Math.round(height / 20), box: 'black' },
  ];
  makeVideo({ path, width, height, frames, picture, captions });
  return path;
}

interface Figures {
  readonly framesPerSecond: number;
  readonly coresBusy: number;
  readonly peakBytes: number;
}

async function run({ path, pipelineId, threads, analyseRepeats = false }: Course): Promise<Figures> {
  const registry = await PipelineRegistry.open();
  await using pool = await ProcessPool.open({
    size: 1,
    threads,
    isolation: await detectIsolation({ memoryBytes: MEMORY_BYTES, environment: process.env }),
    memoryBytes: MEMORY_BYTES,
    stallTimeoutMs: 60_000,
    recycleAfterJobs: 100,
    warmUp: [registry.get(pipelineId)],
    log: createLog('warn'),
  });
  const [pid] = pool.pids();
  if (pid === undefined) throw new Error('the pool has no child');
  const pipeline = new PooledPipeline({ registry, pool, limits: DEFAULT_VIDEO_LIMITS, analyseRepeats });
  const cpuBefore = await cpuSeconds(pid);
  const startedMs = performance.now();
  let frames = 0;
  for await (const _ of pipeline.runOnFile(pipelineId, path)) frames += 1;
  const seconds = (performance.now() - startedMs) / 1000;
  const coresBusy = ((await cpuSeconds(pid)) - cpuBefore) / seconds;
  return { framesPerSecond: frames / seconds, coresBusy, peakBytes: await peakBytes(pid) };
}

function told({ framesPerSecond, coresBusy, peakBytes: bytes }: Figures): string {
  return `${framesPerSecond.toFixed(1)} frames/s, ${coresBusy.toFixed(2)} cores busy, ${(bytes / MIB).toFixed(0)} MiB`;
}

/** The most that a process ever had resident. */
async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
