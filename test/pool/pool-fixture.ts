import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FrameResult } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { ProcessPool, type JobRequest, type ProcessPoolOptions } from '../../src/pool/process-pool.ts';
import { samplingSchema } from '../../src/pipeline/sampling.ts';
import type { OpenRequest } from '../../src/pool/protocol.ts';
import { makeVideo } from '../../tools/make-video.ts';
import type { VideoRecipe } from '../../tools/video-recipe.ts';

export const MEMORY_BYTES = 900_000_000;

/** A folder for videos, and pools that are closed with it. */
export class PoolFixture implements AsyncDisposable {
  readonly #folder: string;
  readonly registry: PipelineRegistry;
  readonly #pools: ProcessPool[] = [];

  private constructor(folder: string, registry: PipelineRegistry) {
    this.#folder = folder;
    this.registry = registry;
  }

  static async open(): Promise<PoolFixture> {
    return new PoolFixture(await mkdtemp(path.join(tmpdir(), 'pool-')), await PipelineRegistry.open());
  }

  async pool(options: Partial<ProcessPoolOptions> = {}): Promise<ProcessPool> {
    const isolation = await detectIsolation({ environment: process.env });
    const pool = ProcessPool.open({
      size: 1,
      threads: 1,
      isolation,
      memoryBytes: MEMORY_BYTES,
      // Far longer than a busy machine needs for a frame; tests of the limit set their own.
      stallTimeoutMs: 300_000,
      recycleAfterJobs: 1000,
      warmUp: [this.registry.get('ocr_only')],
      log: createLog('silent'),
      ...options,
    });
    // Closes a pool that is still opening when its test ends.
    this.#pools.push(pool);
    await pool.ready;
    return pool;
  }

  /** A small video, encoded without loss, so that equal pictures decode to equal pixels. */
  video(name: string, recipe: Partial<VideoRecipe> = {}): string {
    const file = path.join(this.#folder, `${name}.mp4`);
    makeVideo({ path: file, width: 64, height: 64, encoderOptions: { crf: 0 }, ...recipe });
    return file;
  }

  request(filePath: string, options: Partial<JobRequest> = {}): JobRequest {
    return {
      definition: this.registry.get('ocr_only'),
      filePath,
      sampling: samplingSchema.parse({}),
      regions: [],
      limits: DEFAULT_VIDEO_LIMITS,
      extraDecoders: [],
      analyseRepeats: false,
      ...options,
    };
  }

  /** A job for one child. */
  openRequest(filePath: string): OpenRequest {
    return { ...this.request(filePath), memoryBytes: MEMORY_BYTES, oneFrameAtATime: false };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pool of this.#pools) await pool.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export async function all(results: AsyncIterable<FrameResult>): Promise<FrameResult[]> {
  const list: FrameResult[] = [];
  for await (const result of results) list.push(result);
  return list;
}

/** Returns the rejection of the promise. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, not ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
