import type { Box, TextLine } from '../job.ts';
import { centreOf } from './box-relations.ts';
import { ReadingRuns } from './reading-runs.ts';
import { ScrollingText } from './scrolling-text.ts';
import type { Moment } from './sample.ts';
import { SpellingVotes } from './spelling-votes.ts';

/** A text segment with what scenes need to know of it. */
export interface FoundText {
  readonly start: Moment;
  /** The first sample that no longer shows it. */
  readonly end: Moment;
  readonly text: string;
  readonly confidence: number;
  readonly bbox: Box;
  readonly frames: number;
  readonly isMoving: boolean;
}

/**
 * A reading in the place of a text that is not the text: a part of it; the text read badly; an unsure reading of what may
 * have replaced it (`other`); or a sure one (`blink`) that stays a quarter of a second at most. The later in this list, the
 * more it speaks for another text.
 */
export const DOUBT_KINDS = ['partial', 'garbled', 'other', 'blink'] as const;
export type DoubtKind = (typeof DOUBT_KINDS)[number];

/** Parts of a line's height by which a text that stands still does not move from sample to sample, nor altogether. */
const STILL_STEP = 0.1;
const STILL = 1.5;
const LEAST_MOVES = 3;

/** Readings that are not sure to be of the text in whose place they stand, since the last sure one. */
interface Doubt {
  readonly kind: DoubtKind;
  readonly track: TextTrack;
}

/** One text that is being followed. */
export class TextTrack {
  start: Moment;
  box: Box;
  /** Samples that show it. */
  frames = 0;
  /** Samples since the last one that showed it. */
  missing = 0;
  firstMissing: Moment | undefined;
  doubt: Doubt | undefined;
  #votes = new SpellingVotes();
  #runs = new ReadingRuns();
  #scroll: ScrollingText;
  #velocity: readonly [number, number] = [0, 0];
  #lastMs: number;
  #origin: Box;
  #moves = 0;

  constructor(line: TextLine, moment: Moment) {
    this.start = moment;
    this.box = line.bbox;
    this.#origin = line.bbox;
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

  /** Where it is to be expected at a time. */
  predicted(timeMs: number): Box {
    const passed = timeMs - this.#lastMs;
    const [x, y, width, height] = this.box;
    return [x + this.#velocity[0] * passed, y + this.#velocity[1] * passed, width, height];
  }

  /** A sample shows it. */
  sight(line: TextLine, moment: Moment): void {
    this.#votes.add(line);
    this.#runs.add(line, moment);
    this.#scroll.follow(line.text);
    this.#moveTo(line.bbox, moment.timeMs);
    this.#isSeen();
  }

  /** The text was read in part or badly until now: this is what it says. */
  become(line: TextLine, moment: Moment): void {
    this.#votes = new SpellingVotes();
    this.#runs = new ReadingRuns();
    this.#scroll = new ScrollingText(line.text);
    this.#origin = line.bbox;
    this.#moves = 0;
    this.box = line.bbox;
    this.sight(line, moment);
  }

  /** A piece of the text was followed by itself. */
  absorb(piece: TextTrack): void {
    if (piece.start.timeMs < this.start.timeMs) this.start = piece.start;
    this.frames = Math.max(this.frames, piece.frames);
  }

  /** A sample may show it, read badly. */
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

  /** A sample does not show it. */
  miss(moment: Moment): void {
    this.missing += 1;
    this.firstMissing ??= moment;
  }

  /** What it was, up to the first sample that no longer shows it; more than one when a text replaced another unnoticed. */
  *found(end: Moment): Generator<FoundText> {
    const isMoving = this.isScrolling || this.#moves >= LEAST_MOVES;
    const replacements = isMoving ? [] : this.#runs.replacements();
    if (replacements.length > 1) {
      for (const [at, run] of replacements.entries()) {
        const winner = run.votes.winner();
        const start = at === 0 ? this.start : run.start;
        const until = replacements[at + 1]?.start ?? end;
        if (winner !== undefined) yield { ...winner, start, end: until, frames: run.count, isMoving };
      }
      return;
    }
    const winner = this.#votes.winner();
    if (winner === undefined) return;
    const text = this.isScrolling ? this.#scroll.text : winner.text;
    yield { ...winner, text, start: this.start, end, frames: this.frames, isMoving };
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
  }
}

/** How far a box has moved: one that grows or shrinks at one edge has not. */
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
