/** Selection of frames and of parts of them. Default: everything. */
export interface AnalysisOptions {
  /** Analyse every n-th frame; absent: every frame. */
  readonly frameStride?: number | undefined;
  /** Maximum number of frames to analyse; absent: all. */
  readonly maxFrames?: number | undefined;
  /** Analyse the first frame at or after each multiple of this time; excludes `frameStride`. */
  readonly sampleEveryMs?: number | undefined;
  /** Only frames at or after this time. */
  readonly fromMs?: number | undefined;
  /** Only frames before this time. */
  readonly toMs?: number | undefined;
  /** Decode and analyse only key frames. */
  readonly keyframesOnly?: boolean | undefined;
  /** `[x, y, width, height]` as fractions of the displayed frame, 0 to 1: analyse only these pixels. */
  readonly region?: readonly [number, number, number, number] | undefined;
}

/** Returns the query parameters of the service for these options. */
export function analysisParameters(options: AnalysisOptions) {
  return {
    frame_stride: options.frameStride,
    max_frames: options.maxFrames,
    sample_every_ms: options.sampleEveryMs,
    from_ms: options.fromMs,
    to_ms: options.toMs,
    keyframes_only: options.keyframesOnly,
    region: options.region,
  };
}
