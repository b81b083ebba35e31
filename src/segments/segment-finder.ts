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
  /** Lines and detections less sure are not looked at; default 0. */
  readonly minConfidence?: number | undefined;
  /** Segments shorter than this are left out; absent: those of one unsure sample among four or more a second. */
  readonly minDurationMs?: number | undefined;
  /** Longest gap that is bridged; absent: two samples. */
  readonly maxGapMs?: number | undefined;
  /** Only what has its centre in here counts, in pixels of the displayed frame; absent: everything. */
  readonly region?: SampleFilter['region'];
}

/** What was found in a video, each list ordered by start, then from top to bottom. */
export interface Findings {
  readonly texts: readonly TextSegment[];
  /** The presence of each label and, given four samples a second, each instance that was followed. */
  readonly objects: readonly ObjectSegment[];
  readonly scenes: readonly Scene[];
}

/** Samples this far apart or less follow motion. */
const TRACKING_STEP_MS = 250;
/** Confidence below which a reading that one sample in a quarter of a second shows is taken for noise. */
const UNSURE_BLINK = 0.9;

/** Finds segments in the results of frames, given one by one in their order. Memory does not grow with the frames. */
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

  /** A frame that is not later than the one before does not count. */
  push(frame: FrameResult): void {
    const { minConfidence = 0, region } = this.#options;
    const sample = sampleOf(frame, { minConfidence, region });
    if (!this.#clock.tick(sample.timeMs)) return;
    this.#lastIndex = sample.frameIndex;
    this.#segmenter.push(sample);
    this.#presence.push(sample);
    this.#tracker.push(sample);
  }

  /** To be called once, after the last frame. @param media of the video, where they are known */
  finish(media?: MediaFacts): Findings {
    const { stepMs, lastMs } = this.#clock;
    const durationMs = media?.duration_ms ?? 0;
    // The last sample lasts a step, but not beyond the end of the video.
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

/** The segments of all frames. The result does not depend on how the frames come. */
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

/** Three decimals, as in the results of frames. */
function roundedConfidence(confidence: number): number {
  return Math.round(confidence * 1000) / 1000;
}
