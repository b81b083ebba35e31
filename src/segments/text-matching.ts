import type { Box, TextLine } from '../job.ts';
import { around, coverage, intersectionOverUnion, isInOneRow } from './box-relations.ts';
import { continues, differsInDigits, entersAs, isGarbled, isPartOf, isRestOf, isSameReading } from './reading.ts';
import { displacement, distance, type DoubtKind, type TextTrack } from './text-track.ts';

/** Decides whether a line of a sample continues a followed text. */

/** Covered share of the smaller box if both are in one place. */
const SAME_PLACE = 0.5;
/** Line heights by which a text may have moved since the last sample; more if motion is expected. */
const FARTHEST_STEP = 4;
const FARTHEST_ALONG_ROW = 10;
const FARTHEST_FROM_EXPECTED = 2;
/** Length from which a text is unlikely to be in two places by chance. */
const TELLING_LENGTH = 8;
/** Line heights by which aligned edges may differ. */
const ALIGNED = 0.6;
/** A reading is unsure if its confidence is this much lower than that of the text in its place. */
const UNSURE = 0.03;
const VERY_UNSURE = 0.15;
/** A text that grows becomes wider by more than this share of its height; the edges of a box flicker by less. */
const GROWN = 0.25;
/** A text of at most this many samples may be a bad first reading. */
const BEGINNING = 2;

export type Continuation = 'same' | 'moved' | 'scrolled' | 'grown';
/** Best first. */
export const CONTINUATIONS: readonly Continuation[] = ['same', 'moved', 'scrolled', 'grown'];

export function continuation(track: TextTrack, line: TextLine, timeMs: number): Continuation | undefined {
  const isAtPlace = isInPlace(track.box, line.bbox);
  if (track.isScrolling) return followScroll(track, line, isAtPlace);
  const reach = isAtPlace || isWithinReach(track, line.bbox, timeMs, line.text.length);
  if (!reach) return undefined;
  if (track.hasReading(line.text) || isSameReading(track.text, line.text)) return isAtPlace ? 'same' : 'moved';
  if (isAtPlace && track.scrollsTo(line.text)) return 'scrolled';
  if (track.missing > 0 || !isInOneRow(track.box, line.bbox)) return undefined;
  // A misread letter makes a text longer, and not wider.
  if (line.bbox[2] - track.box[2] <= GROWN * line.bbox[3]) return undefined;
  const { left, right } = alignment(track.box, line.bbox);
  if ((left || right) && continues(line.text, track.text)) return 'grown';
  if (right && !left && entersAs(line.text, track.text)) return 'grown';
  return undefined;
}

/** How well a line fits: higher is better among lines that continue a text in the same way. */
export function closeness(track: TextTrack, line: TextLine, timeMs: number): number {
  const exact = track.hasReading(line.text) ? 1 : 0;
  const away = Math.min(distance(track.box, line.bbox), distance(track.predicted(timeMs), line.bbox));
  return exact + intersectionOverUnion(track.box, line.bbox) - away / (1000 * Math.max(1, line.bbox[3]));
}

/**
 * How a line in the place of a text that it does not continue may be a bad reading of it; undefined if it is another
 * text.
 * @param isQuick samples are so frequent that no text lasts for one only
 */
export function doubtOf(track: TextTrack, line: TextLine, isQuick: boolean): DoubtKind | undefined {
  if (!isInPlace(track.box, line.bbox)) return undefined;
  const { text } = track;
  const differs = differsInDigits(line.text, text);
  if (!differs && isPartOf(line.text, text)) return 'partial';
  const isUnsure = line.confidence < track.confidence - UNSURE;
  if (differs) return isUnsure ? 'other' : undefined;
  if (isUnsure && isGarbled(line.text, text)) return 'garbled';
  if (line.confidence < track.confidence - VERY_UNSURE) return 'other';
  return isQuick ? 'blink' : undefined;
}

/** Returns true if a text of one or two samples was a bad reading of the line, for example while it faded in. */
export function isBadBeginning(track: TextTrack, line: TextLine, isQuick: boolean): boolean {
  if (track.frames > BEGINNING || !isInPlace(track.box, line.bbox)) return false;
  const isUnsure = track.confidence < line.confidence - UNSURE;
  if (differsInDigits(track.text, line.text)) return isQuick && isUnsure && track.frames === 1;
  return isPartOf(track.text, line.text) || (isUnsure && isGarbled(track.text, line.text));
}

/** Returns the pieces that together equal the text; undefined if they do not. */
export function piecesOf<T extends { readonly text: string; readonly box: Box }>(
  whole: { readonly text: string; readonly box: Box },
  candidates: readonly T[],
): readonly T[] | undefined {
  const inside = candidates
    .filter(({ box }) => coverage(box, whole.box) >= 0.7 && box[2] < whole.box[2] && isInOneRow(box, whole.box))
    .toSorted((a, b) => a.box[0] - b.box[0]);
  if (inside.length < 2) return undefined;
  return isSameReading(inside.map(({ text }) => text).join(' '), whole.text) ? inside : undefined;
}

export function joined(lines: readonly TextLine[]): TextLine {
  const [first] = lines;
  if (first === undefined) throw new RangeError('no lines to join');
  const characters = lines.reduce((sum, { text }) => sum + text.length, 0);
  return {
    text: lines.map(({ text }) => text).join(' '),
    confidence: lines.reduce((sum, { text, confidence }) => sum + confidence * text.length, 0) / characters,
    bbox: lines.reduce((box, { bbox }) => around(box, bbox), first.bbox),
  };
}

export function isInPlace(a: Box, b: Box): boolean {
  return coverage(a, b) >= SAME_PLACE && isInOneRow(a, b);
}

/** Windows of a ticker differ; only their position shows that they belong to one text. */
function followScroll(track: TextTrack, line: TextLine, isAtPlace: boolean): Continuation | undefined {
  if (!isAtPlace) return undefined;
  if (isSameReading(track.text, line.text)) return 'same';
  if (track.scrollsTo(line.text) || isRestOf(line.text, track.text)) return 'scrolled';
  return undefined;
}

function isWithinReach(track: TextTrack, box: Box, timeMs: number, length: number): boolean {
  const height = Math.max(track.box[3], box[3]);
  if (Math.min(track.box[3], box[3]) < 0.5 * height) return false;
  const [fromExpectedX, fromExpectedY] = displacement(track.predicted(timeMs), box);
  if (Math.max(Math.abs(fromExpectedX), Math.abs(fromExpectedY)) <= FARTHEST_FROM_EXPECTED * height) return true;
  if (track.missing > 0) return false;
  const [dx, dy] = displacement(track.box, box);
  const alongRow = Math.abs(dy) < 0.3 * height && length >= TELLING_LENGTH ? FARTHEST_ALONG_ROW : FARTHEST_STEP;
  return Math.abs(dy) <= FARTHEST_STEP * height && Math.abs(dx) <= alongRow * height;
}

/** Which edges two boxes share. */
function alignment(a: Box, b: Box): { readonly left: boolean; readonly right: boolean } {
  const tolerance = ALIGNED * Math.min(a[3], b[3]);
  return {
    left: Math.abs(a[0] - b[0]) <= tolerance,
    right: Math.abs(a[0] + a[2] - b[0] - b[2]) <= tolerance,
  };
}
