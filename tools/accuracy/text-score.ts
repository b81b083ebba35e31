import { editDistance } from '../edit-distance.ts';
import type { FrameTruth } from './truth.ts';

/** Replaces a character that belongs to a found line, so that no other line can use it. */
const USED = '\0';
/** A line with a larger share of errors was not read. */
const MISSED = 0.5;
/** A line this short must be found exactly, because any text resembles it. */
const SHORT_LINE = 3;

export interface TextScore {
  readonly lines: number;
  readonly missedLines: number;
  readonly characters: number;
  readonly wrongCharacters: number;
  readonly words: number;
  readonly wrongWords: number;
  /** Number of recognised lines that do not exist; 0 if the truth is partial. */
  readonly falseLines: number;
}

/**
 * Compares recognised lines with the truth. Each true line, the longest first, is searched in all recognised text, so
 * the order and splitting of lines do not count. A line with more than half of its characters wrong is missed and
 * counts as entirely wrong.
 */
export function scoreText(truth: Pick<FrameTruth, 'lines' | 'partial' | 'ignore'>, read: readonly string[]): TextScore {
  const text = Array.from(read.map(plain).join('\n'));
  const score = { lines: 0, missedLines: 0, characters: 0, wrongCharacters: 0, words: 0, wrongWords: 0 };
  for (const line of (truth.lines ?? []).map(plain).toSorted((a, b) => b.length - a.length)) {
    const wanted = Array.from(line);
    const words = line.split(' ');
    const place = wanted.length <= SHORT_LINE ? exactPlace(line, text) : likestPlace(wanted, text);
    const isMissed = place === undefined || place.errors > MISSED * wanted.length;
    score.lines += 1;
    score.characters += wanted.length;
    score.words += words.length;
    if (isMissed) {
      score.missedLines += 1;
      score.wrongCharacters += wanted.length;
      score.wrongWords += words.length;
      continue;
    }
    score.wrongCharacters += place.errors;
    score.wrongWords += Math.min(words.length, editDistance(words, wordsAround(text, place)));
    text.fill(USED, place.start, place.end);
  }
  return { ...score, falseLines: truth.partial ? 0 : falseLines(text, truth.ignore.map(plain)) };
}

/** Kinds of quotes, dashes and spaces, and wide or joined forms, count as equal. */
function plain(line: string): string {
  return line
    .normalize('NFKC')
    .replace(/[“”]/g, '"')
    .replace(/[‘’`]/g, "'")
    .replace(/[–—]/g, '-')
    .replace(/【/g, '[')
    .replace(/】/g, ']')
    .replace(/\s+/g, ' ')
    .trim();
}

interface Place {
  readonly errors: number;
  readonly start: number;
  readonly end: number;
}

/** Returns the position of a line between spaces or edges; undefined if there is none. */
function exactPlace(line: string, text: readonly string[]): Place | undefined {
  const wanted = Array.from(line);
  const isEdge = (at: number) => /^[\s\0]?$/.test(text[at] ?? '');
  const start = text.findIndex(
    (_, at) => wanted.every((c, i) => text[at + i] === c) && isEdge(at - 1) && isEdge(at + wanted.length),
  );
  return start === -1 ? undefined : { errors: 0, start, end: start + wanted.length };
}

/**
 * Returns the part of the text most similar to a line: edit distance with a free start and end (Sellers, "The theory
 * and computation of evolutionary distances", 1980). The end of a recognised line counts as a space.
 */
function likestPlace(wanted: readonly string[], text: readonly string[]): Place {
  let errors = Array.from<number>({ length: text.length + 1 }).fill(0);
  let starts = errors.map((_, at) => at);
  for (const [row, character] of wanted.entries()) {
    const nextErrors = [row + 1];
    const nextStarts = [0];
    for (const [at, other] of text.entries()) {
      const isSame = other === character || (other === '\n' && character === ' ');
      const ways: readonly [number, number][] = [
        [other === USED ? Infinity : (errors[at] ?? 0) + (isSame ? 0 : 1), starts[at] ?? 0],
        [(errors[at + 1] ?? 0) + 1, starts[at + 1] ?? 0],
        [other === USED ? Infinity : (nextErrors[at] ?? 0) + 1, nextStarts[at] ?? 0],
      ];
      const [cost, start] = ways.reduce((best, way) => (way[0] < best[0] ? way : best));
      nextErrors.push(cost);
      nextStarts.push(start);
    }
    errors = nextErrors;
    starts = nextStarts;
  }
  const least = errors.reduce((a, b) => Math.min(a, b));
  const end = errors.indexOf(least);
  return { errors: least, start: starts[end] ?? 0, end };
}

/** Returns the words that a position covers, entirely or partly. */
function wordsAround(text: readonly string[], { start, end }: Place): string[] {
  const isInside = (at: number) => !/^[\s\0]?$/.test(text[at] ?? '');
  let [from, to] = [start, end];
  while (isInside(from) && isInside(from - 1)) from -= 1;
  while (isInside(to) && isInside(to - 1)) to += 1;
  return text.slice(from, to).join('').split(/\s+/).filter(Boolean);
}

/** Returns runs of three or more characters that belong to no line. */
function falseLines(text: readonly string[], ignored: readonly string[]): number {
  const runs = text
    .join('')
    .split(/[\0\n]+/)
    .map((run) => run.trim());
  return runs.filter((run) => run.length >= SHORT_LINE && !ignored.includes(run)).length;
}
