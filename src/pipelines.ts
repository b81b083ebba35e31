import { join, resolve } from 'node:path';
import { childSettingsOf, type Config } from './config.ts';
import type { Log } from './log.ts';
import { videoLimitsSchema } from './pipeline/limits.ts';
import { PipelineRegistry } from './pipeline/registry.ts';
import { detectIsolation } from './pool/isolation.ts';
import { readMachine } from './pool/machine.ts';
import { checkPipelineMemory, planChildren } from './pool/memory-plan.ts';
import { PooledPipeline } from './pool/pooled-pipeline.ts';
import { ProcessPool, type ProcessPoolOptions } from './pool/process-pool.ts';

export interface OpenedPipelines {
  readonly pipelines: PooledPipeline;
  /** To be closed by the caller. */
  readonly processes: ProcessPool;
}

/**
 * Reads the pipelines of the settings and begins to start the processes that run them.
 * @param options where the children get links to their videos; absent: they can read every file
 * Rejects with `invalid_pipeline`, `invalid_model` or `invalid_config`.
 */
export async function openPipelines(
  config: Config,
  log: Log,
  options: Pick<ProcessPoolOptions, 'linksFolder'> = {},
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
  const processes = ProcessPool.open({
    size: config.WORKER_CONCURRENCY,
    threads: plan.threads,
    isolation: await detectIsolation({ environment: process.env }),
    memoryBytes: plan.memoryBytes,
    stallTimeoutMs: config.STALL_TIMEOUT_MS,
    recycleAfterJobs: config.CHILD_MAX_JOBS,
    warmUp: registry.list(),
    modelsFolder,
    log,
    ...options,
  });
  return {
    processes,
    pipelines: new PooledPipeline({ registry, pool: processes, limits, extraDecoders: config.EXTRA_DECODERS }),
  };
}
