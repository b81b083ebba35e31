import type { Box, TextLine } from '../job.ts';
import { around, centreOf } from './box-relations.ts';
import { ReadingRuns } from './reading-runs.ts';
import { ScrollingText } from './scrolling-text.ts';
import type { Moment } from './sample.ts';
import { SpellingVotes } from './spelling-votes.ts';

/** A text segment with what scenes need to know about it. */
export interface FoundText {
  readonly start: Moment;
  /** The first sample that no longer shows it. */
  readonly end: Moment;
  readonly text: string;
  readonly confidence: number;
  readonly bbox: Box;
  readonly frames: number;
  readonly isMoving: boolean;
  /** The area in which it was seen. */
  readonly swept: Box;
}

/**
 * A reading in the place of a text that is not the text: a part of it; a bad reading; an unsure reading of a possible
 * replacement (`other`); or a confident one (`blink`) that lasts at most a quarter of a second. Later entries of this
 * list suggest another text more strongly.
 */
export const DOUBT_KINDS = ['partial', 'garbled', 'other', 'blink'] as const;
export type DoubtKind = (typeof DOUBT_KINDS)[number];

/** Fractions of a line's height by which a text without motion shifts between samples, and in total. */
const STILL_STEP = 0.1;
const STILL = 1.5;
const LEAST_MOVES = 3;
/** Fraction of a line's height by which the edge varies at which a text comes into view; a letter is cut or not. */
const ENTERING_EDGE = 0.6;

/** Doubtful readings since the last certain one. */
interface Doubt {
  readonly kind: DoubtKind;
  readonly track: TextTrack;
}

/** One followed text. */
export class TextTrack {
  start: Moment;
  box: Box;
  /** Number of samples that show it. */
  frames = 0;
  /** Number of samples since the last one that showed it. */
  missing = 0;
  firstMissing: Moment | undefined;
  doubt: Doubt | undefined;
  #votes = new SpellingVotes();
  #runs = new ReadingRuns();
  #scroll: ScrollingText;
  #velocity: readonly [number, number] = [0, 0];
  #lastMs: number;
  #origin: Box;
  #swept: Box;
  #moves = 0;

  constructor(line: TextLine, moment: Moment) {
    this.start = moment;
    this.box = line.bbox;
    this.#origin = line.bbox;
    this.#swept = line.bbox;
    this.#lastMs = moment.timeMs;
    this.#scroll = new ScrollingText(line.text);
    this.sight(line, moment);
  }

  /** The text as far as it is known. */
  get text(): string {
    return this.#scroll.isScrolling ? this.#scroll.last : this.#votes.lead;
  }

  get confidence(): number {
    return this.#votes.confidence;
  }

  get isScrolling(): boolean {
    return this.#scroll.isScrolling;
  }

  hasReading(text: string): boolean {
    return this.#votes.has(text);
  }

  scrollsTo(text: string): boolean {
    return this.#scroll.isNext(text);
  }

  /** Returns its expected position at a time. */
  predicted(timeMs: number): Box {
    const passed = timeMs - this.#lastMs;
    const [x, y, width, height] = this.box;
    return [x + this.#velocity[0] * passed, y + this.#velocity[1] * passed, width, height];
  }

  /** Records a sample that shows it. */
  sight(line: TextLine, moment: Moment): void {
    this.#votes.add(line);
    this.#runs.add(line, moment);
    this.#scroll.follow(line.text);
    this.#moveTo(line.bbox, moment.timeMs);
    this.#isSeen();
  }

  /** Replaces a text that was read partially or badly. */
  become(line: TextLine, moment: Moment): void {
    this.#votes = new SpellingVotes();
    this.#runs = new ReadingRuns();
    this.#scroll = new ScrollingText(line.text);
    this.#origin = line.bbox;
    this.#moves = isEntering(this.box, line.bbox) ? this.#moves + 1 : 0;
    this.box = line.bbox;
    this.sight(line, moment);
  }

  /** Adds a piece of the text that was followed separately. */
  absorb(piece: TextTrack): void {
    if (piece.start.timeMs < this.start.timeMs) this.start = piece.start;
    this.frames = Math.max(this.frames, piece.frames);
  }

  /** Records a sample that may show it. */
  suspect(kind: DoubtKind, line: TextLine, moment: Moment): void {
    if (this.doubt === undefined) this.doubt = { kind, track: new TextTrack(line, moment) };
    else {
      this.doubt.track.sight(line, moment);
      const { kind: before, track } = this.doubt;
      if (DOUBT_KINDS.indexOf(kind) > DOUBT_KINDS.indexOf(before)) this.doubt = { kind, track };
    }
    this.missing = 0;
    this.firstMissing = undefined;
  }

  /** Records a sample that does not show it. */
  miss(moment: Moment): void {
    this.missing += 1;
    this.firstMissing ??= moment;
  }

  /**
   * Returns the text up to the first sample that no longer shows it; several if texts replaced each other unnoticed.
   */
  *found(end: Moment): Generator<FoundText> {
    const isMoving = this.isScrolling || this.#moves >= LEAST_MOVES;
    const replacements = isMoving ? [] : this.#runs.replacements();
    if (replacements.length > 1) {
      for (const [at, run] of replacements.entries()) {
        const winner = run.votes.winner();
        const start = at === 0 ? this.start : run.start;
        const until = replacements[at + 1]?.start ?? end;
        if (winner !== undefined)
          yield { ...winner, start, end: until, frames: run.count, isMoving, swept: this.#swept };
      }
      return;
    }
    const winner = this.#votes.winner();
    if (winner === undefined) return;
    const text = this.isScrolling ? this.#scroll.text : winner.text;
    yield { ...winner, text, start: this.start, end, frames: this.frames, isMoving, swept: this.#swept };
  }

  #isSeen(): void {
    this.frames += 1 + (this.doubt?.track.frames ?? 0);
    this.missing = 0;
    this.firstMissing = undefined;
    this.doubt = undefined;
  }

  #moveTo(box: Box, timeMs: number): void {
    const passed = timeMs - this.#lastMs;
    if (passed > 0) {
      const [dx, dy] = displacement(this.box, box);
      this.#velocity = [dx / passed, dy / passed];
      const still = STILL_STEP * box[3];
      const isFarAway = displacement(this.#origin, box).some((away) => Math.abs(away) > STILL * box[3]);
      if (Math.abs(dx) > still || Math.abs(dy) > still) this.#moves += isFarAway ? 1 : 0;
    }
    this.#lastMs = timeMs;
    this.box = box;
    this.#swept = around(this.#swept, box);
  }
}

/** Returns true if a text becomes longer at a fixed right edge, as a ticker does while it comes into view. */
function isEntering(from: Box, to: Box): boolean {
  const [, , , height] = to;
  const isRightFixed = Math.abs(from[0] + from[2] - (to[0] + to[2])) <= ENTERING_EDGE * height;
  return isRightFixed && from[0] - to[0] > STILL_STEP * height;
}

/** Returns how far a box has moved. A box that grows or shrinks at one edge has not moved. */
export function displacement(from: Box, to: Box): readonly [number, number] {
  return [least(from[0], from[2], to[0], to[2]), least(from[1], from[3], to[1], to[3])];
}

function least(from: number, fromLength: number, to: number, toLength: number): number {
  const candidates = [to - from, to + toLength - (from + fromLength), to + toLength / 2 - (from + fromLength / 2)];
  return candidates.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a));
}

export function distance(from: Box, to: Box): number {
  const [ax, ay] = centreOf(from);
  const [bx, by] = centreOf(to);
  return Math.hypot(ax - bx, ay - by);
}
