import type { Box } from '../job.ts';
import type { Moment } from './sample.ts';
import { isInPlace } from './text-matching.ts';
import type { FoundText } from './text-track.ts';

/** Text beside the subtitles or slides of a video that does not start a new scene: a logo, a clock, a ticker. */

const TIME_OF_DAY = /\d{1,3}:\d{2}(?:[:.]\d+)*/g;
/** A number with this many changes, each after so short a time, is a counter. */
const LEAST_CHANGES = 5;
const COUNTER_MS = 1_500;
/** Between the readings of one clock. */
const CLOCK_GAP_MS = 5_000;
/** A text in the place of a clock or ticker this long before or after it belongs to it. */
const LINGER_MS = 1_000;
/** Text shown for a shorter time cannot be read. */
const UNREADABLE_MS = 251;
/** Number of texts that come and go during a lasting one before that is excluded. */
const LEAST_PASSING = 3;
/** A lasting text that is alone or with one other needs only one. */
const SMALL_GROUP = 2;

/** @param texts ordered by start @returns the texts that form scenes: all of them if there are no others */
export function foreground(texts: readonly FoundText[], stepMs: number): readonly FoundText[] {
  const still = texts.filter((text) => !text.isMoving && !(durationOf(text) < UNREADABLE_MS && text.frames === 1));
  const clocks = clocksAmong(still);
  const moving = texts.filter(({ isMoving }) => isMoving).map((text) => rowOf(text));
  const taken = [...clocks.places, ...moving];
  // A text in the place of a clock or ticker is a bad reading of it.
  const changing = still.filter((text) => !clocks.texts.has(text) && !taken.some((place) => isDuring(place, text)));
  const lasting = lastingAmong(changing, stepMs);
  const found = changing.filter((text) => !lasting.has(text));
  return [found, changing, still].find(({ length }) => length > 0) ?? [];
}

/** A place with a clock or ticker, and its duration. */
interface Place {
  readonly start: Moment;
  readonly end: Moment;
  readonly bbox: Box;
}

/** A ticker needs its row, and not only the place of its best reading. */
function rowOf({ start, end, bbox: [, y, , height], swept: [x, , width] }: FoundText): Place {
  return { start, end, bbox: [x, y, width, height] };
}

function isDuring({ start, end, bbox }: Place, text: FoundText): boolean {
  const isMeanwhile = text.start.timeMs < end.timeMs + LINGER_MS && text.end.timeMs > start.timeMs - LINGER_MS;
  return isMeanwhile && isInPlace(bbox, text.bbox);
}

/** Texts that differ from the previous one in the same place only in a time or a fast counter. */
function clocksAmong(texts: readonly FoundText[]): {
  readonly texts: ReadonlySet<FoundText>;
  readonly places: readonly Place[];
} {
  const clocks = chainsOf(texts, withoutTime).filter(({ length }) => length > 1);
  const counters = chainsOf(texts, withoutNumbers).filter((chain) => {
    const durations = chain.map(durationOf).toSorted((a, b) => a - b);
    return chain.length >= LEAST_CHANGES && (durations[durations.length >> 1] ?? 0) <= COUNTER_MS;
  });
  const chains = [...clocks, ...counters];
  const places = chains.flatMap((chain) => {
    const [first, last] = [chain[0], chain.at(-1)];
    return first === undefined || last === undefined ? [] : [{ start: first.start, end: last.end, bbox: first.bbox }];
  });
  return { texts: new Set(chains.flat()), places };
}

/** Consecutive texts in one place that are equal without the changing part. */
function chainsOf(
  texts: readonly FoundText[],
  pattern: (text: string) => string | undefined,
): readonly (readonly FoundText[])[] {
  const chains = new Map<string, FoundText[][]>();
  for (const text of texts) {
    const key = pattern(text.text);
    if (key === undefined) continue;
    const known = chains.get(key) ?? [];
    chains.set(key, known);
    const chain = known.find((members) => {
      const last = members.at(-1);
      if (last === undefined || text.start.timeMs - last.end.timeMs > CLOCK_GAP_MS) return false;
      return isInPlace(last.bbox, text.bbox);
    });
    if (chain === undefined) known.push([text]);
    else chain.push(text);
  }
  return [...chains.values()].flat();
}

function withoutTime(text: string): string | undefined {
  return text.search(TIME_OF_DAY) === -1 ? undefined : text.replaceAll(TIME_OF_DAY, ':');
}

function withoutNumbers(text: string): string | undefined {
  return /\d/.test(text) ? text.replaceAll(/\d+/g, '#') : undefined;
}

/** Texts during which others come and go. */
function lastingAmong(texts: readonly FoundText[], stepMs: number): ReadonlySet<FoundText> {
  const found = new Set<FoundText>();
  for (const [at, text] of texts.entries()) {
    let passing = 0;
    let until = Number.NEGATIVE_INFINITY;
    let companions = 1;
    for (let back = at - 1; back >= 0 && isTogether(texts[back], text, stepMs); back -= 1) {
      if (endsTogether(texts[back], text, stepMs)) companions += 1;
    }
    for (let next = at + 1; next < texts.length && passing < LEAST_PASSING; next += 1) {
      const other = texts[next];
      if (other === undefined || other.start.timeMs >= text.end.timeMs) break;
      if (isTogether(other, text, stepMs)) {
        if (endsTogether(other, text, stepMs)) companions += 1;
      } else if (other.end.timeMs < text.end.timeMs - stepMs && other.start.timeMs >= until) {
        passing += 1;
        until = other.end.timeMs;
      }
    }
    if (passing >= LEAST_PASSING || (passing > 0 && companions <= SMALL_GROUP)) found.add(text);
  }
  return found;
}

function isTogether(a: FoundText | undefined, b: FoundText, stepMs: number): boolean {
  return a !== undefined && Math.abs(a.start.timeMs - b.start.timeMs) <= stepMs;
}

function endsTogether(a: FoundText | undefined, b: FoundText, stepMs: number): boolean {
  return a !== undefined && Math.abs(a.end.timeMs - b.end.timeMs) <= stepMs;
}

function durationOf({ start, end }: FoundText): number {
  return end.timeMs - start.timeMs;
}
