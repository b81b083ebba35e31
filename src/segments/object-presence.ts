import type { Box, Detection } from '../job.ts';
import type { Sample } from './sample.ts';
import type { ObjectSegment } from './segment.ts';

/** Samples for which a label may be missing without ending its presence. */
const BRIDGED_SAMPLES = 2;

interface Presence {
  readonly startMs: number;
  maxCount: number;
  confidence: number;
  bbox: Box;
  frames: number;
  missing: number;
  firstMissingMs: number | undefined;
}

/** Finds when each label is seen. Memory: one presence per visible label. */
export class ObjectPresence {
  readonly #maxGapMs: number | undefined;
  readonly #emit: (segment: ObjectSegment) => void;
  readonly #open = new Map<string, Presence>();

  /** @param maxGapMs longest bridged gap; absent: two samples */
  constructor(maxGapMs: number | undefined, emit: (segment: ObjectSegment) => void) {
    this.#maxGapMs = maxGapMs;
    this.#emit = emit;
  }

  push({ timeMs, detections }: Sample): void {
    for (const [label, presence] of this.#open) {
      const gapMs = timeMs - (presence.firstMissingMs ?? timeMs);
      if (this.#maxGapMs !== undefined && gapMs > this.#maxGapMs) this.#end(label, presence, timeMs);
    }
    const seen = new Map<string, Detection[]>();
    for (const detection of detections) {
      const same = seen.get(detection.label);
      if (same === undefined) seen.set(detection.label, [detection]);
      else same.push(detection);
    }
    for (const [label, presence] of this.#open) if (!seen.has(label)) this.#miss(label, presence, timeMs);
    for (const [label, same] of seen) this.#see(label, same, timeMs);
  }

  finish(endMs: number): void {
    for (const [label, presence] of this.#open) this.#end(label, presence, endMs);
  }

  #see(label: string, same: readonly Detection[], timeMs: number): void {
    const best = same.reduce((a, b) => (b.confidence > a.confidence ? b : a));
    const presence = this.#open.get(label);
    if (presence === undefined) {
      const { confidence, bbox } = best;
      const start = { startMs: timeMs, maxCount: same.length, confidence, bbox };
      this.#open.set(label, { ...start, frames: 1, missing: 0, firstMissingMs: undefined });
      return;
    }
    presence.maxCount = Math.max(presence.maxCount, same.length);
    if (best.confidence > presence.confidence) {
      presence.confidence = best.confidence;
      presence.bbox = best.bbox;
    }
    presence.frames += 1;
    presence.missing = 0;
    presence.firstMissingMs = undefined;
  }

  #miss(label: string, presence: Presence, timeMs: number): void {
    presence.missing += 1;
    presence.firstMissingMs ??= timeMs;
    if (this.#maxGapMs === undefined && presence.missing > BRIDGED_SAMPLES) this.#end(label, presence, timeMs);
  }

  #end(label: string, presence: Presence, timeMs: number): void {
    this.#open.delete(label);
    const { startMs, firstMissingMs, maxCount, confidence, bbox, frames } = presence;
    this.#emit({
      kind: 'object',
      label,
      start_ms: startMs,
      end_ms: firstMissingMs ?? timeMs,
      max_count: maxCount,
      confidence,
      bbox,
      frames,
    });
  }
}
