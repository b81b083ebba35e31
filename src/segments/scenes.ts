import { foreground } from './scene-background.ts';
import type { Moment } from './sample.ts';
import type { Scene } from './segment.ts';
import { isSameReading } from './reading.ts';
import { isInPlace } from './text-matching.ts';
import type { FoundText } from './text-track.ts';

/** A little more than one step, and than two, because times are rounded. */
const ONE_STEP = 1.05;
const TWO_STEPS = 2.05;

interface Interval {
  readonly start: Moment;
  readonly end: Moment;
  readonly texts: readonly FoundText[];
}

/**
 * Returns the intervals in which the set of texts is stable. Lasting texts, clocks and moving texts are not part of
 * scenes; a difference of one sample between the lines of one subtitle is flicker.
 * @param texts ordered by start
 */
export function scenesOf(texts: readonly FoundText[], stepMs: number): readonly Scene[] {
  const intervals = stableIntervals(foreground(texts, stepMs));
  const scenes = withoutGaps(withoutFlicker(intervals, stepMs * ONE_STEP), stepMs * TWO_STEPS);
  return scenes.map(({ start, end, texts: shown }) => {
    const lines = shown.map(({ text, confidence, bbox }) => ({ text, confidence, bbox }));
    return {
      kind: 'scene',
      start_ms: start.timeMs,
      end_ms: end.timeMs,
      text: lines.map(({ text }) => text).join('\n'),
      lines,
      frame_index: start.frameIndex,
    };
  });
}

function inReadingOrder(texts: readonly FoundText[]): readonly FoundText[] {
  return texts.toSorted((a, b) => a.bbox[1] - b.bbox[1] || a.bbox[0] - b.bbox[0]);
}

function stableIntervals(texts: readonly FoundText[]): readonly Interval[] {
  const changes = new Map<
    number,
    { readonly moment: Moment; readonly begin: FoundText[]; readonly end: FoundText[] }
  >();
  const changeAt = (moment: Moment) => {
    const change = changes.get(moment.timeMs) ?? { moment, begin: [], end: [] };
    changes.set(moment.timeMs, change);
    return change;
  };
  for (const text of texts) {
    changeAt(text.start).begin.push(text);
    changeAt(text.end).end.push(text);
  }
  const intervals: Interval[] = [];
  const shown = new Set<FoundText>();
  let start: Moment | undefined;
  for (const { moment, begin, end } of [...changes.values()].toSorted((a, b) => a.moment.timeMs - b.moment.timeMs)) {
    if (start !== undefined && shown.size > 0)
      intervals.push({ start, end: moment, texts: inReadingOrder([...shown]) });
    for (const text of end) shown.delete(text);
    for (const text of begin) shown.add(text);
    start = moment;
  }
  return intervals;
}

/** An interval of one sample that lacks a line of its neighbour, or shows both, belongs to it. */
function withoutFlicker(intervals: readonly Interval[], shortMs: number): readonly Interval[] {
  const kept: Interval[] = [];
  let carried: Moment | undefined;
  for (const [at, interval] of intervals.entries()) {
    const start = carried ?? interval.start;
    carried = undefined;
    const previous = kept.at(-1);
    const next = intervals[at + 1];
    const isShort = interval.end.timeMs - interval.start.timeMs <= shortMs;
    const followsPrevious = previous?.end.timeMs === start.timeMs;
    const leadsToNext = next?.start.timeMs === interval.end.timeMs;
    if (isShort && leadsToNext && isPart(interval, next)) carried = start;
    else if (
      isShort &&
      followsPrevious &&
      (isPart(interval, previous) || (leadsToNext && isPart(previous, interval)))
    ) {
      kept[kept.length - 1] = { ...previous, end: interval.end };
    } else kept.push({ ...interval, start });
  }
  return kept;
}

/** The same texts after a bad reading or two are the same scene. */
function withoutGaps(intervals: readonly Interval[], gapMs: number): readonly Interval[] {
  const kept: Interval[] = [];
  for (const interval of intervals) {
    const last = kept.at(-1);
    const isSame =
      last !== undefined &&
      interval.start.timeMs - last.end.timeMs <= gapMs &&
      interval.texts.length === last.texts.length &&
      interval.texts.every((text, at) => isInPlace(text.bbox, last.texts[at]?.bbox ?? text.bbox)) &&
      interval.texts.every((text, at) => isSameReading(text.text, last.texts[at]?.text ?? ''));
    if (isSame) kept[kept.length - 1] = { ...last, end: interval.end };
    else kept.push(interval);
  }
  return kept;
}

function isPart(part: Interval, whole: Interval): boolean {
  return part.texts.every((text) => whole.texts.includes(text));
}
