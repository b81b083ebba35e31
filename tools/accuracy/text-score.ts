import { editDistance } from '../edit-distance.ts';
import type { FrameTruth } from './truth.ts';

/** Stands for a character that a line was found to be made of: no other line may use it. */
const USED = '\0';
/** Of a line, more than this part wrong means that it was not read. */
const MISSED = 0.5;
/** So short a line is found only as it stands: any text is like it. */
const SHORT_LINE = 3;

export interface TextScore {
  readonly lines: number;
  readonly missedLines: number;
  readonly characters: number;
  readonly wrongCharacters: number;
  readonly words: number;
  readonly wrongWords: number;
  /** Lines that were read where there are none; 0 where the truth is partial. */
  readonly falseLines: number;
}

/**
 * Holds the lines that were read against those that are there. Each true line, the longest first, is sought as a part of
 * all text that was read, so the order of lines and where they are split do not count. A line with more than half of its
 * characters wrong is missed, and all of it is wrong.
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

/** Kinds of quotes, dashes and spaces, and wide or joined forms, are told apart by nobody. */
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

/** Where a line stands by itself, between spaces or edges; undefined when nowhere. */
function exactPlace(line: string, text: readonly string[]): Place | undefined {
  const wanted = Array.from(line);
  const isEdge = (at: number) => /^[\s\0]?$/.test(text[at] ?? '');
  const start = text.findIndex(
    (_, at) => wanted.every((c, i) => text[at + i] === c) && isEdge(at - 1) && isEdge(at + wanted.length),
  );
  return start === -1 ? undefined : { errors: 0, start, end: start + wanted.length };
}

/**
 * The part of the text that is most like a line: edit distance with a free start and end (Sellers, "The theory and
 * computation of evolutionary distances", 1980). The end of a line that was read counts as a space.
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

/** The words that a place covers, whole or in part. */
function wordsAround(text: readonly string[], { start, end }: Place): string[] {
  const isInside = (at: number) => !/^[\s\0]?$/.test(text[at] ?? '');
  let [from, to] = [start, end];
  while (isInside(from) && isInside(from - 1)) from -= 1;
  while (isInside(to) && isInside(to - 1)) to += 1;
  return text.slice(from, to).join('').split(/\s+/).filter(Boolean);
}

/** Runs of three characters and more that belong to no line. */
function falseLines(text: readonly string[], ignored: readonly string[]): number {
  const runs = text
    .join('')
    .split(/[\0\n]+/)
    .map((run) => run.trim());
  return runs.filter((run) => run.length >= SHORT_LINE && !ignored.includes(run)).length;
}
