/** Which frames of a video are analysed, and what part of them. Everything when nothing is given. */
export interface AnalysisOptions {
  /** Every n-th frame is analysed; absent: every frame. */
  readonly frameStride?: number | undefined;
  /** Maximum number of frames to analyse; absent: all. */
  readonly maxFrames?: number | undefined;
  /** The first frame at or after each multiple of so many milliseconds is analysed; excludes `frameStride`. */
  readonly sampleEveryMs?: number | undefined;
  /** Only frames shown at or after this time. */
  readonly fromMs?: number | undefined;
  /** Only frames shown before this time. */
  readonly toMs?: number | undefined;
  /** Only key frames are decoded and analysed. */
  readonly keyframesOnly?: boolean | undefined;
  /** `[x, y, width, height]` in parts of the displayed frame, 0 to 1: only these pixels are analysed. */
  readonly region?: readonly [number, number, number, number] | undefined;
}

/** Returns the query parameters of the service for these options. */
export function analysisParameters(options: AnalysisOptions): [name: string, value: string][] {
  const values = {
    frame_stride: options.frameStride,
    max_frames: options.maxFrames,
    sample_every_ms: options.sampleEveryMs,
    from_ms: options.fromMs,
    to_ms: options.toMs,
    keyframes_only: options.keyframesOnly,
    region: options.region?.join(','),
  };
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
}
