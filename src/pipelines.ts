import { join, resolve } from 'node:path';
import { childSettingsOf, type Config } from './config.ts';
import type { Log } from './log.ts';
import { videoLimitsSchema } from './pipeline/limits.ts';
import { PipelineRegistry } from './pipeline/registry.ts';
import { detectIsolation } from './pool/isolation.ts';
import { readMachine } from './pool/machine.ts';
import { checkPipelineMemory, planChildren } from './pool/memory-plan.ts';
import { PooledPictures } from './pool/pooled-pictures.ts';
import { PooledPipeline } from './pool/pooled-pipeline.ts';
import { ProcessPool, type ProcessPoolOptions } from './pool/process-pool.ts';

export interface OpenedPipelines {
  readonly pipelines: PooledPipeline;
  /** Creates the pictures of a job in the processes of the analysis. */
  readonly jobPictures: PooledPictures;
  /** To be closed by the caller. */
  readonly processes: ProcessPool;
  /** Creates pictures for requests, so that none waits for a job. */
  readonly pictures: PooledPictures;
  /** Starts a process at the first picture. To be closed by a caller that uses `pictures`. */
  readonly pictureProcesses: ProcessPool;
}

/** Concurrent pictures for requests. */
const PICTURE_PROCESSES = 2;

/**
 * Reads the configured pipelines and starts their child processes. Rejects with `invalid_pipeline`, `invalid_model` or
 * `invalid_config`.
 * @param options which videos the processes can read, and whether they start on demand
 */
export async function openPipelines(
  config: Config,
  log: Log,
  options: Pick<ProcessPoolOptions, 'linksFolder' | 'readableFiles' | 'isLazy'> = {},
): Promise<OpenedPipelines> {
  const modelsFolder = join(resolve(config.DATA_DIR), 'models');
  const registry = await PipelineRegistry.open({
    modelsFolder,
    ...(config.PIPELINES_DIR === undefined ? {} : { directory: resolve(config.PIPELINES_DIR) }),
  });
  const limits = videoLimitsSchema.parse({
    maxFramePixels: config.MAX_FRAME_PIXELS,
    maxDurationMs: config.MAX_DURATION_MS,
    maxDecodedFrames: config.MAX_DECODED_FRAMES,
    maxDecodedPixels: config.MAX_DECODED_PIXELS,
    maxPixelsPerByte: config.MAX_PIXELS_PER_BYTE,
  });
  const plan = planChildren(readMachine(), childSettingsOf(config));
  checkPipelineMemory(registry.list(), plan);
  if (plan.isOvercommitted) log.warn(plan, 'all children together may use more memory than the machine has for them');
  const common = {
    isolation: await detectIsolation({ environment: process.env }),
    memoryBytes: plan.memoryBytes,
    stallTimeoutMs: config.STALL_TIMEOUT_MS,
    recycleAfterJobs: config.CHILD_MAX_JOBS,
    modelsFolder,
    log,
  };
  const { linksFolder } = options;
  const { threads } = plan;
  const processes = ProcessPool.open({
    ...common,
    size: config.WORKER_CONCURRENCY,
    threads,
    warmUp: registry.list(),
    ...options,
  });
  // Without models, so that each is small.
  const pictureProcesses = ProcessPool.open({
    ...common,
    size: PICTURE_PROCESSES,
    threads: 0,
    warmUp: [],
    isLazy: true,
    // Each pool empties its own folder.
    ...(linksFolder !== undefined && { linksFolder: `${linksFolder}-pictures` }),
  });
  const decoding = { limits, extraDecoders: config.EXTRA_DECODERS };
  return {
    processes,
    pictureProcesses,
    pipelines: new PooledPipeline({ registry, pool: processes, ...decoding }),
    jobPictures: new PooledPictures({ pool: processes, ...decoding }),
    pictures: new PooledPictures({ pool: pictureProcesses, ...decoding }),
  };
}
