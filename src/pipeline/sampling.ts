import { z } from 'zod';

import { regionSchema } from '../job.ts';

/** Which frames of a video are sampled. */
export const samplingSchema = z.object({
  /** Every n-th decoded frame, beginning with frame 0. */
  frameStride: z.int().min(1).default(1),
  /** Maximum number of frames; absent: all. */
  maxFrames: z.int().min(1).optional(),
  /** The first frame at or after each multiple of this time in milliseconds, in place of every n-th. */
  sampleEveryMs: z.int().min(1).optional(),
  /** Of the selected frames, only those at or after this time. */
  fromMs: z.int().min(0).optional(),
  /** Of the selected frames, only those before this time. */
  toMs: z.int().min(1).optional(),
  /** Decode and select only key frames. */
  keyframesOnly: z.boolean().default(false),
});
export type Sampling = z.infer<typeof samplingSchema>;

/** Options of a run. */
export const analysisOptionsSchema = samplingSchema.extend({
  /** Analyse only this part of each frame; absent: what the pipeline declares, or all. */
  region: regionSchema.optional(),
});
export type AnalysisOptions = z.input<typeof analysisOptionsSchema>;

/** `sampled`, `passed`, or `beyond` the last frame that can be sampled. */
export type Choice = 'sampled' | 'passed' | 'beyond';

/** Selects frames. Called for each frame in display order, decoded or not. */
export class Sampler {
  readonly #sampling: Sampling;
  readonly #times: ReadonlySet<number> | undefined;
  readonly #lastTime: number;
  /** The last multiple of `sampleEveryMs` for which a frame was selected. */
  #multiple = -Infinity;

  /** @param timesMs select exactly the frames at these times; absent: use the sampling */
  constructor(sampling: Sampling, timesMs?: readonly number[]) {
    this.#sampling = sampling;
    this.#times = timesMs && new Set(timesMs);
    this.#lastTime = timesMs === undefined ? Infinity : Math.max(-Infinity, ...timesMs);
  }

  /** True if most frames are not selected, so that it may pay not to decode them. */
  get isSparse(): boolean {
    const { frameStride, sampleEveryMs, fromMs, toMs } = this.#sampling;
    if (this.#times !== undefined) return true;
    return frameStride > 1 || sampleEveryMs !== undefined || fromMs !== undefined || toMs !== undefined;
  }

  /** Returns an independent copy of the present state. */
  fork(): Sampler {
    const fork = new Sampler(this.#sampling, this.#times && [...this.#times]);
    fork.#multiple = this.#multiple;
    return fork;
  }

  /** @param count number of frames selected before this one */
  next(count: number, timestampMs: number): Choice {
    const { frameStride, sampleEveryMs, fromMs = -Infinity, toMs = Infinity } = this.#sampling;
    if (timestampMs >= toMs || timestampMs > this.#lastTime) return 'beyond';
    if (this.#times !== undefined) return this.#times.has(timestampMs) ? 'sampled' : 'passed';
    const isChosen =
      sampleEveryMs === undefined ? count % frameStride === 0 : this.#reaches(timestampMs, sampleEveryMs);
    return isChosen && timestampMs >= fromMs ? 'sampled' : 'passed';
  }

  #reaches(timestampMs: number, everyMs: number): boolean {
    const multiple = Math.floor(timestampMs / everyMs);
    if (multiple <= this.#multiple) return false;
    this.#multiple = multiple;
    return true;
  }
}
