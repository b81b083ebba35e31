import type { FrameResult, JobOptions, MediaFacts } from '../job.ts';
import type { AnalysisOptions } from './sampling.ts';

/** Which frames, and what part of them; default everything. */
export interface RunOptions extends AnalysisOptions {
  /** Aborting ends the analysis and its process; the iteration then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The options of a job in the words of the pipeline: those that it has, and no others. */
export function runOptionsOf(options: JobOptions): RunOptions {
  const { max_frames, sample_every_ms, from_ms, to_ms, keyframes_only, region } = options;
  return {
    frameStride: options.frame_stride,
    ...(max_frames !== undefined && { maxFrames: max_frames }),
    ...(sample_every_ms !== undefined && { sampleEveryMs: sample_every_ms }),
    ...(from_ms !== undefined && { fromMs: from_ms }),
    ...(to_ms !== undefined && { toMs: to_ms }),
    ...(keyframes_only !== undefined && { keyframesOnly: keyframes_only }),
    ...(region !== undefined && { region }),
  };
}

/** A pipeline as it is listed to users: as it was declared, every parameter filled in. */
export interface PipelineDescription {
  readonly id: string;
  readonly description: string;
  readonly nodes: readonly NodeDescription[];
  /** `frame` as `from` is the frame itself. */
  readonly edges: readonly { readonly from: string; readonly to: string }[];
  /** Ids of the nodes whose findings make up a frame's result. */
  readonly outputs: readonly string[];
}

export interface NodeDescription {
  readonly id: string;
  readonly tool: string;
  /** The parameters with which it runs. */
  readonly params: Readonly<Record<string, unknown>>;
  /** JSON Schema of the parameters that its tool takes. */
  readonly paramsSchema: Readonly<Record<string, unknown>>;
}

/** Analyses video files. Knows nothing of jobs. */
export interface VideoFilePipelineService {
  /** The pipelines that can be run, in the order in which they are listed. */
  list(): readonly PipelineDescription[];
  /**
   * Runs a pipeline over a local file and yields the results in frame order, no faster than they are taken; returns
   * what was found out about the video, where that is known.
   * Rejects with a `ServiceError`: retryable when the trouble befell the attempt (`decoder_crashed`, `stalled`),
   * not retryable when it would come again (`invalid_video`, `too_large`, `memory_limit`, `unknown_pipeline`).
   */
  runOnFile(
    pipelineId: string,
    filePath: string,
    options?: RunOptions,
  ): AsyncIterable<FrameResult, MediaFacts | undefined>;
}
