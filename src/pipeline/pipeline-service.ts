import type { FrameResult, JobOptions, MediaFacts } from '../job.ts';
import type { AnalysisOptions } from './sampling.ts';
import type { KnownLetters } from './text/known-letters.ts';

/** Selection of frames and of parts of them; default everything. */
export interface RunOptions extends AnalysisOptions {
  /** Aborting ends the analysis and its process; the iteration then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Returns the options of a job in the names of the pipeline, without absent ones. */
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

/** A pipeline as listed to users: as declared, with all defaults. */
export interface PipelineDescription {
  readonly id: string;
  readonly description: string;
  readonly nodes: readonly NodeDescription[];
  /** `frame` as `from` is the frame itself. */
  readonly edges: readonly { readonly from: string; readonly to: string }[];
  /** Ids of the nodes whose findings form a frame's result. */
  readonly outputs: readonly string[];
}

export interface NodeDescription {
  readonly id: string;
  readonly tool: string;
  /** The parameters in use. */
  readonly params: Readonly<Record<string, unknown>>;
  /** JSON Schema of the tool's parameters. */
  readonly paramsSchema: Readonly<Record<string, unknown>>;
  /** The letters that the node reads; absent if it does not read. */
  readonly reads?: KnownLetters;
}

/** Analyses video files. Knows nothing about jobs. */
export interface VideoFilePipelineService {
  /** Returns the available pipelines in the order of their listing. */
  list(): readonly PipelineDescription[];
  /**
   * Runs a pipeline on a local file. Yields the results in frame order, no faster than they are consumed, and returns
   * the facts about the video if known. Rejects with a `ServiceError`: retryable if the error concerns the attempt
   * (`decoder_crashed`, `stalled`), not retryable if it would occur again (`invalid_video`, `too_large`,
   * `memory_limit`, `unknown_pipeline`).
   */
  runOnFile(
    pipelineId: string,
    filePath: string,
    options?: RunOptions,
  ): AsyncIterable<FrameResult, MediaFacts | undefined>;
}
