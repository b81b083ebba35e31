import { z } from 'zod';

import { regionSchema } from '../job.ts';

/** Which of a video's frames are sampled. */
export const samplingSchema = z.object({
  /** Every n-th decoded frame, beginning with frame 0. */
  frameStride: z.int().min(1).default(1),
  /** At most so many; absent: all. */
  maxFrames: z.int().min(1).optional(),
  /** The first frame at or after each multiple of so many milliseconds, in place of every n-th. */
  sampleEveryMs: z.int().min(1).optional(),
  /** Of the frames so chosen, only those shown at or after this time. */
  fromMs: z.int().min(0).optional(),
  /** Of the frames so chosen, only those shown before this time. */
  toMs: z.int().min(1).optional(),
  /** Only key frames are decoded, and chosen from. */
  keyframesOnly: z.boolean().default(false),
});
export type Sampling = z.infer<typeof samplingSchema>;

/** What a run of a pipeline may be told beside the video. */
export const analysisOptionsSchema = samplingSchema.extend({
  /** Only this part of each frame is analysed; absent: what the pipeline declares, or all. */
  region: regionSchema.optional(),
});
export type AnalysisOptions = z.input<typeof analysisOptionsSchema>;

/** `sampled`, `passed` over, or `beyond` the last that can be sampled. */
export type Choice = 'sampled' | 'passed' | 'beyond';

/** Chooses frames; asked for each frame in display order, whether or not it is decoded. */
export class Sampler {
  readonly #sampling: Sampling;
  readonly #times: ReadonlySet<number> | undefined;
  readonly #lastTime: number;
  /** The last multiple of `sampleEveryMs` that a frame was chosen for. */
  #multiple = -Infinity;

  /** @param timesMs only the frames shown at these very times are chosen; absent: as the sampling says */
  constructor(sampling: Sampling, timesMs?: readonly number[]) {
    this.#sampling = sampling;
    this.#times = timesMs && new Set(timesMs);
    this.#lastTime = timesMs === undefined ? Infinity : Math.max(-Infinity, ...timesMs);
  }

  /** True when most frames are passed over, so that it may pay not to decode them. */
  get isSparse(): boolean {
    const { frameStride, sampleEveryMs, fromMs, toMs } = this.#sampling;
    if (this.#times !== undefined) return true;
    return frameStride > 1 || sampleEveryMs !== undefined || fromMs !== undefined || toMs !== undefined;
  }

  /** Another one that goes on from here by itself. */
  fork(): Sampler {
    const fork = new Sampler(this.#sampling, this.#times && [...this.#times]);
    fork.#multiple = this.#multiple;
    return fork;
  }

  /** @param count frames that were chosen from before this one */
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
