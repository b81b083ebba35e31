/** `node dist/tools/bench/jobs.js [frames of the longest video]`: whole jobs in child processes. Default 20000. */
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/log.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { PooledPipeline } from '../../src/pool/pooled-pipeline.ts';
import { ProcessPool } from '../../src/pool/process-pool.ts';
import { makeVideo } from '../make-video.ts';
import type { VideoRecipe } from '../video-recipe.ts';
import { cpuSeconds, median, print } from './figures.ts';

const ROUNDS = 3;
const FRAMES = 120;
/** Number of equal frames in a row in the long videos. */
const HELD_FRAMES = 10;
/** Otherwise an encoder keeps refining a still picture, and no two frames are equal. */
const LOSSLESS = { crf: 0 };
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
  const longest = Number(process.argv[2] ?? 20_000);
  const moving = video('moving', FRAMES, 'mandelbrot=start_scale=0.9');
  const still = video('still', FRAMES, 'color=color=gray', LOSSLESS);
  for (const pipelineId of ['ocr_only', 'yolo_ocr']) {
    const [one, two] = await alternately(
      { path: moving, pipelineId, threads: 1 },
      { path: moving, pipelineId, threads: 2 },
    );
    const by = `${(two.framesPerSecond / one.framesPerSecond).toFixed(2)} times one thread`;
    print(`${pipelineId}, 1280x720, 1 inference thread`, told(one));
    print(`${pipelineId}, 1280x720, 2 inference threads`, `${told(two)}; ${by}`);
  }
  const [known, anew] = await alternately(
    { path: still, pipelineId: 'ocr_only', threads: 2 },
    { path: still, pipelineId: 'ocr_only', threads: 2, analyseRepeats: true },
  );
  print('static screen, every frame analysed', told(anew));
  const faster = `${(known.framesPerSecond / anew.framesPerSecond).toFixed(1)} times as fast`;
  print('static screen, identical frames analysed once', `${told(known)}; ${faster}`);
  for (const frames of [longest / 20, longest]) {
    const { peakBytes: bytes } = await run({ path: longVideo(frames), pipelineId: 'yolo_ocr', threads: 2 });
    print(`memory of the child over ${frames} frames`, `${(bytes / MIB).toFixed(0)} MiB at most`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function video(
  name: string,
  frames: number,
  picture: string,
  encoderOptions: VideoRecipe['encoderOptions'] = {},
): string {
  const path = join(folder, `${name}.mp4`);
  const captions = [
    { text: 'BREAKING NEWS', x: 20, y: 540, size: 45, box: 'red' },
    { text: 'HOME 3 - 2 AWAY', x: 20, y: 20, size: 36, box: 'black' },
  ];
  makeVideo({ path, width: 1280, height: 720, frames, picture, captions, encoderOptions });
  return path;
}

/** Small, and encoded without loss, so that repeated frames are identical: 20,000 take minutes, not hours. */
function longVideo(frames: number): string {
  const path = join(folder, `long-${frames}.mp4`);
  const step = `floor(n/${HELD_FRAMES})`;
  const captions = [
    { text: 'BREAKING NEWS', x: `10+mod(${step}*7,150)`, y: 130, size: 18, box: 'red' },
    { text: 'HOME 3 - 2 AWAY', x: `10+mod(${step}*3,130)`, y: `10+mod(${step},60)`, size: 14, box: 'black' },
  ];
  makeVideo({
    path,
    width: 320,
    height: 180,
    frames,
    picture: 'color=color=navy',
    captions,
    encoderOptions: LOSSLESS,
  });
  return path;
}

/** Both in turn, several times, so that other load affects both. Returns the medians. */
async function alternately(first: Course, second: Course): Promise<readonly [Figures, Figures]> {
  const rounds: { readonly first: Figures; readonly second: Figures }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push({ first: await run(first), second: await run(second) });
  return [medians(rounds.map((round) => round.first)), medians(rounds.map((round) => round.second))];
}

function medians(runs: readonly Figures[]): Figures {
  const middle = (of: (figures: Figures) => number): number => median(runs.map(of));
  return {
    framesPerSecond: middle((figures) => figures.framesPerSecond),
    coresBusy: middle((figures) => figures.coresBusy),
    peakBytes: middle((figures) => figures.peakBytes),
  };
}

interface Figures {
  readonly framesPerSecond: number;
  readonly coresBusy: number;
  readonly peakBytes: number;
}

async function run({ path, pipelineId, threads, analyseRepeats = false }: Course): Promise<Figures> {
  const registry = await PipelineRegistry.open();
  await using pool = ProcessPool.open({
    size: 1,
    threads,
    isolation: await detectIsolation({ environment: process.env }),
    memoryBytes: MEMORY_BYTES,
    stallTimeoutMs: 60_000,
    recycleAfterJobs: 100,
    warmUp: [registry.get(pipelineId)],
    log: createLog('warn'),
  });
  await pool.ready;
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
  const busy = `${coresBusy.toFixed(2)} of ${availableParallelism()} cores busy`;
  return `${framesPerSecond.toFixed(1)} frames/s, ${busy}, ${(bytes / MIB).toFixed(0)} MiB`;
}

/** The peak resident memory of a process. */
async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
