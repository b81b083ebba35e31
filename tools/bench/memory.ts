/**
 * `node dist/tools/bench/memory.js`: memory of threads, models, frames and `detection_side`; for
 * src/pool/memory-plan.ts.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/log.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { samplingSchema } from '../../src/pipeline/sampling.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { ProcessPool } from '../../src/pool/process-pool.ts';
import { usedMemoryOf } from '../../src/pool/process-status.ts';
import { makeVideo } from '../make-video.ts';
import { print } from './figures.ts';

const MB = 1_000_000;
/** Without a limit, because the need is measured. */
const MEMORY_BYTES = 16_000 * MB;
const LOOK_EVERY_MS = 5;
const FRAMES = 6;

const registry = await PipelineRegistry.open();
const folder = await mkdtemp(join(tmpdir(), 'reelstate-bench-'));
try {
  for (const threads of [1, 2, 4, 8]) await measure(threads, 1920, 1080);
  for (const [width, height] of [
    [1280, 720],
    [3840, 2160],
    [7680, 4320],
  ] as const) {
    await measure(1, width, height);
  }
  for (const side of [1280, 1920, 4096]) await measure(1, 3840, 2160, side);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(threads: number, width: number, height: number, side?: number): Promise<void> {
  await using pool = ProcessPool.open({
    size: 1,
    threads,
    isolation: await detectIsolation({ environment: process.env }),
    memoryBytes: MEMORY_BYTES,
    stallTimeoutMs: Infinity,
    recycleAfterJobs: Infinity,
    warmUp: registry.list(),
    log: createLog('warn'),
  });
  await pool.ready;
  const [pid = 0] = pool.pids();
  const warm = usedMemoryOf(pid);
  let peak = warm;
  const timer = setInterval(() => {
    peak = Math.max(peak, usedMemoryOf(pid));
  }, LOOK_EVERY_MS);
  for await (const _ of pool.run({
    definition: side === undefined ? registry.get('yolo_ocr') : withSide(registry.get('yolo_ocr'), side),
    filePath: video(width, height),
    sampling: samplingSchema.parse({}),
    regions: [],
    limits: DEFAULT_VIDEO_LIMITS,
    extraDecoders: [],
    analyseRepeats: true,
  }));
  clearInterval(timer);
  print(
    `${threads} threads, ${width}x${height}, detection_side ${side ?? 'by default'}`,
    `${(warm / MB).toFixed(0)} MB warm, ${(peak / MB).toFixed(0)} MB at most`,
  );
}

function withSide(definition: PipelineDefinition, side: number): PipelineDefinition {
  const nodes = definition.nodes.map((node) =>
    node.tool === 'ocr.read' ? { ...node, params: { ...node.params, detection_side: side } } : node,
  );
  return { ...definition, nodes };
}

function video(width: number, height: number): string {
  const path = join(folder, `${width}x${height}.mp4`);
  const captions = Array.from({ length: 20 }, (_, line) => ({
    text: `Line ${line} of a page of text`,
    x: 40,
    y: Math.round(((line + 0.2) * height) / 20),
    // Small enough for a second look.
    size: Math.round(height / 60),
  }));
  makeVideo({ path, width, height, frames: FRAMES, captions });
  return path;
}
