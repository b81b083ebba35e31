import type { TextLine } from '../job.ts';
import { intersectionOverUnion } from './box-relations.ts';
import { isSameReading } from './reading.ts';
import type { Moment, Sample } from './sample.ts';
import {
  closeness,
  continuation,
  CONTINUATIONS,
  doubtOf,
  isBadBeginning,
  isInPlace,
  joined,
  piecesOf,
} from './text-matching.ts';
import { TextTrack, type FoundText } from './text-track.ts';

/** Samples for which a text may be missing without an end. */
const BRIDGED_SAMPLES = 2;
/** A bad reading that lasts for this many samples, or this long, is a separate text. */
const DOUBTFUL_SAMPLES = 2;
const DOUBTFUL_MS = 1000;
/** Samples at most this far apart are so frequent that no text lasts for one only. */
const QUICK_MS = 250;
/** Overlap of a box that has not moved. */
const UNMOVED = 0.8;

/** The matching of one sample. */
interface Matching {
  readonly moment: Moment;
  readonly isQuick: boolean;
  readonly tracks: Set<TextTrack>;
  readonly lines: Set<TextLine>;
  /** Lines that certainly belong to a text. */
  readonly settled: TextLine[];
}

/** Follows texts from sample to sample. Memory: the visible texts. */
export class TextSegmenter {
  readonly #maxGapMs: number | undefined;
  readonly #emit: (found: FoundText) => void;
  #tracks: TextTrack[] = [];
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param maxGapMs longest bridged gap; absent: two samples */
  constructor(maxGapMs: number | undefined, emit: (found: FoundText) => void) {
    this.#maxGapMs = maxGapMs;
    this.#emit = emit;
  }

  push({ lines, ...moment }: Sample): void {
    const isQuick = moment.timeMs - this.#lastMs <= QUICK_MS;
    this.#lastMs = moment.timeMs;
    this.#endExpired(moment);
    const matching = { moment, isQuick, tracks: new Set(this.#tracks), lines: new Set(lines), settled: [] };
    this.#matchUnmoved(matching);
    this.#matchBest(matching);
    this.#matchPieces(matching);
    this.#matchBeginnings(matching);
    this.#matchDoubtful(matching);
    this.#beginRest(matching);
    this.#missRest(matching);
  }

  /** Ends all visible texts. */
  finish(end: Moment): void {
    for (const track of this.#tracks) this.#end(track, end);
  }

  #endExpired(moment: Moment): void {
    const { timeMs } = moment;
    for (const track of this.#tracks) {
      const gapMs = timeMs - (track.firstMissing?.timeMs ?? timeMs);
      if (this.#maxGapMs !== undefined && gapMs > this.#maxGapMs) this.#end(track, moment);
    }
  }

  /** Most lines have not moved and need no comparison with all others. */
  #matchUnmoved(matching: Matching): void {
    const byText = new Map(Array.from(matching.lines, (line) => [line.text, line]));
    for (const track of matching.tracks) {
      const line = byText.get(track.text);
      const isUnmoved = line !== undefined && intersectionOverUnion(track.box, line.bbox) >= UNMOVED;
      if (isUnmoved && matching.lines.has(line)) see(matching, track, line);
    }
  }

  #matchBest(matching: Matching): void {
    const { tracks, lines, moment } = matching;
    const pairs = Array.from(tracks, (track) =>
      Array.from(lines, (line) => ({ track, line, how: continuation(track, line, moment.timeMs) })),
    )
      .flat()
      .flatMap(({ track, line, how }) =>
        how === undefined
          ? []
          : [{ track, line, rank: CONTINUATIONS.indexOf(how), fit: closeness(track, line, moment.timeMs) }],
      );
    const grown = CONTINUATIONS.indexOf('grown');
    for (const { track, line, rank } of pairs.toSorted((a, b) => a.rank - b.rank || b.fit - a.fit)) {
      if (!tracks.has(track) || !lines.has(line)) continue;
      if (rank < grown) see(matching, track, line);
      else {
        const pieces = piecesOf({ text: line.text, box: line.bbox }, [...tracks]) ?? [];
        see(matching, track, line, 'become');
        for (const piece of pieces) if (piece !== track) this.#absorb(matching, track, piece);
      }
    }
  }

  /** A text may be read in pieces, or consist of pieces that were followed separately. */
  #matchPieces(matching: Matching): void {
    const { tracks, lines } = matching;
    for (const track of lines.size > 1 ? tracks : []) {
      const candidates = Array.from(lines, (line) => ({ text: line.text, box: line.bbox, line }));
      const whole = { text: track.text, box: track.predicted(matching.moment.timeMs) };
      const pieces = piecesOf(whole, candidates)?.map(({ line }) => line);
      if (pieces === undefined) continue;
      for (const line of pieces) lines.delete(line);
      see(matching, track, joined(pieces));
    }
    for (const line of tracks.size > 1 ? lines : []) {
      const [first, ...others] = piecesOf({ text: line.text, box: line.bbox }, [...tracks]) ?? [];
      if (first === undefined) continue;
      see(matching, first, line, 'become');
      for (const piece of others) this.#absorb(matching, first, piece);
    }
  }

  #matchBeginnings(matching: Matching): void {
    for (const line of matching.lines) {
      for (const track of matching.tracks) {
        if (track.missing > 0 || !isBadBeginning(track, line, matching.isQuick)) continue;
        see(matching, track, line, 'become');
        break;
      }
    }
  }

  #matchDoubtful(matching: Matching): void {
    const { tracks, lines, moment, isQuick } = matching;
    for (const line of lines) {
      for (const candidate of tracks) {
        if (candidate.missing > 0) continue;
        const kind = doubtOf(candidate, line, isQuick);
        if (kind === undefined) {
          if (this.#confirmDoubt(matching, candidate, line)) break;
          continue;
        }
        tracks.delete(candidate);
        // The earlier readings are neither this text nor the next one.
        const isThird = kind === 'blink' && isOtherThanDoubt(candidate, line);
        const track = isThird ? this.#replace(candidate) : candidate;
        const again = isThird ? doubtOf(track, line, isQuick) : kind;
        if (again === undefined) {
          tracks.add(track);
          continue;
        }
        lines.delete(line);
        track.suspect(again, line, moment);
        if (isCertain(track, moment.timeMs)) {
          this.#replace(track);
          matching.settled.push(line);
        }
        break;
      }
    }
  }

  /** A confident reading of an earlier doubtful one: it has replaced the text in its place. */
  #confirmDoubt(matching: Matching, track: TextTrack, line: TextLine): boolean {
    const next = track.doubt?.track;
    if (next === undefined || !isInPlace(next.box, line.bbox)) return false;
    const isSame = isSameReading(next.text, line.text);
    if (!isSame && !isBadBeginning(next, line, matching.isQuick)) return false;
    matching.tracks.delete(track);
    see(matching, this.#replace(track), line, isSame ? 'sight' : 'become');
    return true;
  }

  #beginRest({ lines, settled, moment }: Matching): void {
    const doubtful = this.#tracks.filter(({ doubt, missing }) => doubt !== undefined && missing === 0);
    for (const line of lines) {
      // This line is another part of a badly read text.
      if (doubtful.some(({ box }) => isInPlace(box, line.bbox))) continue;
      this.#tracks.push(new TextTrack(line, moment));
      settled.push(line);
    }
  }

  #missRest({ tracks, settled, moment }: Matching): void {
    for (const track of tracks) {
      track.miss(moment);
      const isOver = this.#maxGapMs === undefined && track.missing > BRIDGED_SAMPLES;
      const isReplaced = settled.some(({ bbox }) => isInPlace(track.box, bbox));
      if (isOver || isReplaced) this.#end(track, moment);
    }
  }

  #absorb(matching: Matching, track: TextTrack, piece: TextTrack): void {
    track.absorb(piece);
    matching.tracks.delete(piece);
    this.#drop(piece);
  }

  /** Doubtful readings at the end of a text belong to it, except those of another text. */
  #end(track: TextTrack, moment: Moment): void {
    const { doubt } = track;
    const end = track.firstMissing ?? moment;
    const isOther = doubt?.kind === 'other' || doubt?.kind === 'blink';
    for (const found of track.found(isOther ? doubt.track.start : end)) this.#emit(found);
    if (isOther) for (const found of doubt.track.found(end)) this.#emit(found);
    this.#drop(track);
  }

  /** Apparent bad readings of a text are another one that has replaced it. */
  #replace(track: TextTrack): TextTrack {
    const next = track.doubt?.track;
    if (next === undefined) return track;
    for (const found of track.found(next.start)) this.#emit(found);
    this.#drop(track);
    this.#tracks.push(next);
    return next;
  }

  #drop(track: TextTrack): void {
    this.#tracks = this.#tracks.filter((other) => other !== track);
  }
}

function see(
  { tracks, lines, settled, moment }: Matching,
  track: TextTrack,
  line: TextLine,
  how: 'sight' | 'become' = 'sight',
): void {
  track[how](line, moment);
  tracks.delete(track);
  lines.delete(line);
  settled.push(line);
}

function isOtherThanDoubt({ doubt }: TextTrack, line: TextLine): boolean {
  return doubt?.kind === 'blink' && !isSameReading(doubt.track.text, line.text);
}

/** Returns true if a doubtful reading has lasted so long that it is a separate text. */
function isCertain({ doubt }: TextTrack, timeMs: number): boolean {
  if (doubt === undefined) return false;
  const { kind, track } = doubt;
  if (kind === 'blink') return track.frames > 1;
  return track.frames > DOUBTFUL_SAMPLES && (kind !== 'garbled' || timeMs - track.start.timeMs >= DOUBTFUL_MS);
}
