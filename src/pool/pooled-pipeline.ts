import type { FrameResult, MediaFacts } from '../job.ts';
import type { VideoLimits } from '../pipeline/limits.ts';
import type { PipelineDescription, RunOptions, VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import { analysisOptionsSchema } from '../pipeline/sampling.ts';
import type { PipelineRegistry } from '../pipeline/registry.ts';
import type { ProcessPool } from './process-pool.ts';

export interface PooledPipelineOptions {
  readonly registry: PipelineRegistry;
  readonly pool: ProcessPool;
  readonly limits: VideoLimits;
  /** Additional decoders of FFmpeg; default none. */
  readonly extraDecoders?: readonly string[];
  /**
   * True: analyse every sampled frame, also one with the same pixels as the previous one. The results are the same;
   * used to measure the difference in cost.
   */
  readonly analyseRepeats?: boolean;
}

/** Runs the declared pipelines in the child processes of a pool. */
export class PooledPipeline implements VideoFilePipelineService {
  readonly #options: PooledPipelineOptions;

  constructor(options: PooledPipelineOptions) {
    this.#options = options;
  }

  list(): readonly PipelineDescription[] {
    return this.#options.registry.describe();
  }

  async *runOnFile(
    pipelineId: string,
    filePath: string,
    options: RunOptions = {},
  ): AsyncGenerator<FrameResult, MediaFacts | undefined, void> {
    const { registry, pool, limits, extraDecoders = [], analyseRepeats = false } = this.#options;
    const { signal, ...chosen } = options;
    const definition = registry.get(pipelineId);
    const { region, ...sampling } = analysisOptionsSchema.parse(chosen);
    const regions = region === undefined ? (definition.regions ?? []) : [region];
    const request = { definition, filePath, sampling, regions, limits, extraDecoders, analyseRepeats };
    return yield* pool.run(request, signal);
  }
}
