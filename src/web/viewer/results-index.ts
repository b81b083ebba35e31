import { csvHead, csvRows } from '../../client/results-csv.ts';
import type { Box, FrameResult } from '../../client/responses.ts';

/** Milliseconds for which the last frame is shown if there is no other one. */
const LONE_FRAME_MS = 1_000;

export interface Finding {
  /** Label of a detection, or text of a line. */
  readonly name: string;
  readonly confidence: number;
  readonly bbox: Box;
}

/** One analysed frame. */
export interface FrameView {
  /** Its position among the analysed frames, from 0. */
  readonly position: number;
  readonly frameIndex: number;
  readonly timestampMs: number;
  readonly detections: readonly Finding[];
  readonly lines: readonly Finding[];
}

export interface Summary {
  readonly frames: number;
  readonly firstMs: number;
  /** End of the last analysed frame. */
  readonly endMs: number;
  readonly labels: readonly { readonly label: string; readonly count: number }[];
  readonly lines: number;
  /** Width and height that contain every box, used if the video does not provide its size. */
  readonly extent: readonly [width: number, height: number];
}

/** Number of findings in each equal part of the time line. */
export interface Strip {
  readonly detections: readonly number[];
  readonly lines: readonly number[];
  readonly hits: readonly number[];
}

export interface Hit {
  readonly text: string;
  /** Of the first frame with this text. */
  readonly fromMs: number;
  /** Of the last frame of the same unbroken run. */
  readonly toMs: number;
}

/** The results of a job, indexed for the page. Runs in a worker, because results can be large. */
export class ResultsIndex {
  readonly #frames: readonly FrameResult[];
  readonly #endMs: number;

  constructor(frames: readonly FrameResult[]) {
    this.#frames = frames;
    const last = timeOf(frames.at(-1));
    // As long as the previous frames on average.
    this.#endMs = last + (frames.length > 1 ? (last - timeOf(frames[0])) / (frames.length - 1) : LONE_FRAME_MS);
  }

  summary(): Summary {
    const labels = new Map<string, number>();
    let lines = 0;
    let width = 0;
    let height = 0;
    for (const { result } of this.#frames) {
      for (const { label } of result.detections ?? []) labels.set(label, (labels.get(label) ?? 0) + 1);
      lines += result.lines?.length ?? 0;
      for (const { bbox } of [...(result.detections ?? []), ...(result.lines ?? [])]) {
        width = Math.max(width, bbox[0] + bbox[2]);
        height = Math.max(height, bbox[1] + bbox[3]);
      }
    }
    return {
      frames: this.#frames.length,
      firstMs: timeOf(this.#frames[0]),
      endMs: this.#endMs,
      labels: [...labels].map(([label, count]) => ({ label, count })).toSorted((a, b) => b.count - a.count),
      lines,
      extent: [width, height],
    };
  }

  /** Returns the analysed frame at a time; null before the first and after the last. */
  frameAt(ms: number): FrameView | null {
    if (ms >= this.#endMs) return null;
    return this.frame(this.#positionAt(ms));
  }

  /** Returns the analysed frame at a position; null if there is none. */
  frame(position: number): FrameView | null {
    const found = this.#frames[position];
    if (found === undefined) return null;
    const { frame_index: frameIndex, result } = found;
    return {
      position,
      frameIndex,
      timestampMs: result.timestamp_ms,
      detections: (result.detections ?? []).map(({ label, confidence, bbox }) => ({ name: label, confidence, bbox })),
      lines: (result.lines ?? []).map(({ text, confidence, bbox }) => ({ name: text, confidence, bbox })),
    };
  }

  /** @param hidden labels to ignore */
  strip(parts: number, durationMs: number, hidden: readonly string[], query: string): Strip {
    const detections = Array.from({ length: parts }, () => 0);
    const lines = Array.from({ length: parts }, () => 0);
    const hits = Array.from({ length: parts }, () => 0);
    const wanted = query.toLowerCase();
    for (const [position, { result }] of this.#frames.entries()) {
      const until = this.#frames[position + 1]?.result.timestamp_ms ?? this.#endMs;
      const first = Math.min(parts - 1, Math.floor((result.timestamp_ms / durationMs) * parts));
      const last = Math.min(parts - 1, Math.max(first, Math.ceil((until / durationMs) * parts) - 1));
      const seen = (result.detections ?? []).filter(({ label }) => !hidden.includes(label)).length;
      const read = result.lines?.length ?? 0;
      const isHit = wanted !== '' && (result.lines ?? []).some(({ text }) => text.toLowerCase().includes(wanted));
      for (let part = first; part <= last; part += 1) {
        detections[part] = Math.max(detections[part] ?? 0, seen);
        lines[part] = Math.max(lines[part] ?? 0, read);
        if (isHit) hits[part] = 1;
      }
    }
    return { detections, lines, hits };
  }

  /** Returns lines that contain the query, ignoring case; one hit per run of frames with the same line. */
  search(query: string, limit: number): { readonly hits: readonly Hit[]; readonly total: number } {
    const wanted = query.trim().toLowerCase();
    const hits: Hit[] = [];
    let total = 0;
    let open = new Map<string, number>();
    if (wanted === '') return { hits, total };
    for (const { result } of this.#frames) {
      const present = new Map<string, number>();
      for (const { text } of result.lines ?? []) {
        if (present.has(text) || !text.toLowerCase().includes(wanted)) continue;
        const at = open.get(text) ?? total;
        if (at === total) total += 1;
        const hit = hits[at];
        if (hit !== undefined) hits[at] = { ...hit, toMs: result.timestamp_ms };
        else if (at < limit) hits[at] = { text, fromMs: result.timestamp_ms, toMs: result.timestamp_ms };
        present.set(text, at);
      }
      open = present;
    }
    return { hits, total };
  }

  /** One row per detection and line, in parts that can be joined. */
  *csv(): Generator<string> {
    yield csvHead();
    for (const frame of this.#frames) yield csvRows(frame);
  }

  #positionAt(ms: number): number {
    let low = 0;
    let high = this.#frames.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // Players round times to microseconds, results to fractions of a millisecond.
      if (timeOf(this.#frames[middle]) <= ms + 0.5) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function timeOf(frame: FrameResult | undefined): number {
  return frame?.result.timestamp_ms ?? 0;
}
