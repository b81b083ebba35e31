import type { FrameResult, MediaFacts } from '../job.ts';
import { ObjectPresence } from './object-presence.ts';
import { ObjectTracker, type FoundTrack } from './object-tracker.ts';
import { sampleOf, type SampleFilter } from './sample.ts';
import { SampleClock } from './sample-clock.ts';
import { scenesOf } from './scenes.ts';
import { LongestSegments } from './longest-segments.ts';
import { compareSegments, type ObjectSegment, type Scene, type TextSegment } from './segment.ts';
import type { FoundText } from './text-track.ts';
import { TextSegmenter } from './text-segmenter.ts';

export interface SegmentOptions {
  /** Ignore lines and detections with a lower confidence; default 0. */
  readonly minConfidence?: number | undefined;
  /** Omit shorter segments; absent: those of one unsure sample at four or more samples per second. */
  readonly minDurationMs?: number | undefined;
  /** Longest bridged gap; absent: two samples. */
  readonly maxGapMs?: number | undefined;
  /** Only findings with their centre in here, in pixels of the displayed frame; absent: everything. */
  readonly region?: SampleFilter['region'];
}

/** Findings of a video, each list ordered by start, then from top to bottom. */
export interface Findings {
  readonly texts: readonly TextSegment[];
  /** The presence of each label and, at four samples per second, each followed instance. */
  readonly objects: readonly ObjectSegment[];
  readonly scenes: readonly Scene[];
}

/** Samples at most this far apart can follow motion. */
const TRACKING_STEP_MS = 250;
/** A reading of one sample with a lower confidence is noise at four samples per second. */
const UNSURE_BLINK = 0.9;

/** Finds segments in frame results, given one by one in order. Memory does not grow with the frames. */
export class SegmentFinder {
  readonly #options: SegmentOptions;
  readonly #clock = new SampleClock();
  readonly #texts = new LongestSegments<FoundText>(({ start, end }) => end.timeMs - start.timeMs);
  readonly #presences = new LongestSegments<ObjectSegment>(({ start_ms, end_ms }) => end_ms - start_ms);
  readonly #tracks = new LongestSegments<FoundTrack>(({ startMs, endMs }) => endMs - startMs);
  readonly #segmenter: TextSegmenter;
  readonly #presence: ObjectPresence;
  readonly #tracker: ObjectTracker;
  #lastIndex = 0;

  constructor(options: SegmentOptions = {}) {
    this.#options = options;
    this.#segmenter = new TextSegmenter(options.maxGapMs, (found) => this.#texts.add(found));
    this.#presence = new ObjectPresence(options.maxGapMs, (found) => this.#presences.add(found));
    this.#tracker = new ObjectTracker({ ended: (found) => this.#tracks.add(found) });
  }

  /** A frame that is not later than the previous one is ignored. */
  push(frame: FrameResult): void {
    const { minConfidence = 0, region } = this.#options;
    const sample = sampleOf(frame, { minConfidence, region });
    if (!this.#clock.tick(sample.timeMs)) return;
    this.#lastIndex = sample.frameIndex;
    this.#segmenter.push(sample);
    this.#presence.push(sample);
    this.#tracker.push(sample);
  }

  /** Call once, after the last frame. @param media facts about the video, if known */
  finish(media?: MediaFacts): Findings {
    const { stepMs, lastMs } = this.#clock;
    const durationMs = media?.duration_ms ?? 0;
    // The last sample lasts one step, but not beyond the end of the video.
    const endMs = durationMs > lastMs ? Math.min(durationMs, this.#clock.endMs) : this.#clock.endMs;
    this.#segmenter.finish({ timeMs: endMs, frameIndex: this.#lastIndex + 1 });
    this.#presence.finish(endMs);
    this.#tracker.finish(endMs);
    const texts = this.#texts
      .values()
      .filter(({ start, end, confidence, frames }) =>
        this.#isLong(end.timeMs - start.timeMs, frames, confidence, stepMs),
      )
      .toSorted((a, b) => compareSegments(textSegment(a), textSegment(b)));
    return {
      texts: texts.map(textSegment),
      objects: this.#objects(stepMs),
      scenes: scenesOf(texts, stepMs).map(rounded),
    };
  }

  #objects(stepMs: number): readonly ObjectSegment[] {
    const tracks = stepMs > TRACKING_STEP_MS ? [] : this.#tracks.values();
    const instances = tracks
      .map(trackSegment)
      .toSorted(compareSegments)
      .map((segment, at) => ({ ...segment, track_id: at + 1 }));
    return [...this.#presences.values().toSorted(compareSegments), ...instances]
      .filter(({ start_ms: start, end_ms: end, frames, confidence }) =>
        this.#isLong(end - start, frames, confidence, stepMs),
      )
      .map((segment) => ({ ...segment, confidence: roundedConfidence(segment.confidence) }))
      .toSorted(compareSegments);
  }

  #isLong(durationMs: number, frames: number, confidence: number, stepMs: number): boolean {
    const { minDurationMs } = this.#options;
    if (minDurationMs !== undefined) return durationMs >= minDurationMs;
    return frames > 1 || confidence >= UNSURE_BLINK || stepMs > TRACKING_STEP_MS;
  }
}

/** Returns the segments of all frames. The result does not depend on how the frames arrive. */
export async function findSegments(
  frames: AsyncIterable<FrameResult> | Iterable<FrameResult>,
  options: SegmentOptions = {},
  media?: MediaFacts,
): Promise<Findings> {
  const finder = new SegmentFinder(options);
  for await (const frame of frames) finder.push(frame);
  return finder.finish(media);
}

function textSegment({ start, end, text, confidence, bbox, frames }: FoundText): TextSegment {
  const interval = { start_ms: start.timeMs, end_ms: end.timeMs };
  return { kind: 'text', ...interval, text, confidence: roundedConfidence(confidence), bbox, frames };
}

function trackSegment({ label, startMs, endMs, confidence, bbox, frames }: FoundTrack): ObjectSegment {
  return { kind: 'object', label, start_ms: startMs, end_ms: endMs, max_count: 1, confidence, bbox, frames };
}

function rounded(scene: Scene): Scene {
  const lines = scene.lines.map((line) => ({ ...line, confidence: roundedConfidence(line.confidence) }));
  return { ...scene, lines };
}

/** Three decimals, as in frame results. */
function roundedConfidence(confidence: number): number {
  return Math.round(confidence * 1000) / 1000;
}
