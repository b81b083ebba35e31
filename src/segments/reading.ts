import { editDistance } from './edit-distance.ts';
import { remembering } from './remembering.ts';

/** Below this length one wrong letter makes another word. */
const SHORT = 5;
/** Share of the characters in which two readings of a longer text may differ. */
const FLICKER = 0.2;
/** Share of the characters that may be wrong in a garbled reading. */
const GARBLE = 0.5;
/** Two texts may be one that scrolls if they share this part of the shorter one, and this many characters. */
const SCROLL_SHARE = 0.6;
const SCROLL_LENGTH = 6;
const DIGIT = /\p{Nd}/u;

/** Case and spaces flicker, so they are ignored. */
const canonical = remembering((text) => text.toLowerCase().replaceAll(/\s+/g, ''));

/** `0` and `o`, `1`, `i` and `l` look alike. */
const withoutLookalikes = remembering((text) => text.replaceAll('o', '0').replaceAll(/[il|!]/g, '1'));

const withoutPunctuation = remembering((text) => text.replaceAll(/[\p{P}\p{S}]/gu, ''));

/**
 * Returns the digits in order. A letter that looks like a digit counts as one beside a digit; `0` and `1` among the
 * small letters of a word are letters.
 */
const digitsOf = remembering((text) => {
  if (!/\p{Nd}/u.test(text)) return '';
  return text
    .replaceAll(/(?<=\p{Ll}{2})[01](?=\p{Ll})|(?<=\p{Ll})[01](?=\p{Ll}{2})|(?<![\p{L}\p{N}])0(?=\p{Ll}{2})/gu, '')
    .replaceAll(/(?<=\p{Nd})[oO]+|[oO]+(?=\p{Nd})/gu, (letters) => '0'.repeat(letters.length))
    .replaceAll(/(?<=\p{Nd})[iIl|]+|[iIl|]+(?=\p{Nd})/gu, (letters) => '1'.repeat(letters.length))
    .replaceAll(/[^\p{Nd}]/gu, '');
});

function allowedErrors(length: number): number {
  if (length < SHORT) return 0;
  return Math.max(1, Math.floor(length * FLICKER));
}

/** Returns true if two readings are of one text. Never true if they differ in a digit. */
export function isSameReading(first: string, second: string): boolean {
  if (first === second) return true;
  const a = canonical(first);
  const b = canonical(second);
  if (a === b || withoutLookalikes(a) === withoutLookalikes(b)) return true;
  if (digitsOf(first) !== digitsOf(second)) return false;
  const bare = withoutPunctuation(a);
  if (bare !== '' && bare === withoutPunctuation(b)) return true;
  const limit = allowedErrors(Math.min(a.length, b.length));
  return limit > 0 && editDistance(a, b, limit) <= limit;
}

/** Returns true if two readings would be one text but for different digits. */
export function differsInDigits(first: string, second: string): boolean {
  const a = canonical(first);
  const b = canonical(second);
  const [digits, otherDigits] = [digitsOf(first), digitsOf(second)];
  if (withoutLookalikes(a) === withoutLookalikes(b) || digits === otherDigits) return false;
  const limit = Math.max(allowedErrors(Math.min(a.length, b.length)), digits.length, otherDigits.length);
  return (
    isEqualButForDigits(a, b) ||
    editDistance(a, b, limit) <= Math.min(limit, Math.floor(Math.max(a.length, b.length) / 2))
  );
}

/** Returns true if only digits differ, at any position. */
function isEqualButForDigits(first: string, second: string): boolean {
  return first.replaceAll(/\p{Nd}+/gu, '#') === second.replaceAll(/\p{Nd}+/gu, '#');
}

/** Returns true if one reading lacks the beginning or the end of the other, unless it is cut between digits. */
export function isPartOf(part: string, whole: string): boolean {
  const a = canonical(part);
  const b = canonical(whole);
  if (a === '' || a.length >= b.length) return false;
  const at = b.indexOf(a);
  return at !== -1 && !cutsNumber(b, at) && !cutsNumber(b, at + a.length);
}

/** Returns true if a reading may be a bad one of the text: many letters are wrong, but no digit. */
export function isGarbled(reading: string, text: string): boolean {
  const a = canonical(reading);
  const b = canonical(text);
  const limit = Math.floor(Math.max(a.length, b.length) * GARBLE);
  const digits = digitsOf(reading);
  if (digits !== '' && digits !== digitsOf(text)) return false;
  return editDistance(a, b, limit) <= limit;
}

/** Returns true if the text begins with the other one, which is not a complete sentence, and continues. */
export function continues(text: string, beginning: string): boolean {
  const a = canonical(beginning);
  const b = canonical(text);
  if (a === '' || b.length <= a.length || /[.!?…。！？]$/.test(beginning.trim())) return false;
  const head = b.slice(0, a.length);
  return !cutsNumber(b, a.length) && isSameReading(head, a);
}

/** Returns true if the reading may be the rest of a text that leaves at the left. */
export function isRestOf(reading: string, text: string): boolean {
  return isPartOf(reading, text) || isGarbled(reading, text.slice(-reading.length));
}

/** Returns true if the reading may be a bad one of a text that is coming into view. */
export function entersAs(reading: string, beginning: string): boolean {
  return reading.length > beginning.length && isGarbled(beginning, reading.slice(0, beginning.length));
}

function cutsNumber(text: string, at: number): boolean {
  return DIGIT.test(text[at - 1] ?? '') && DIGIT.test(text[at] ?? '');
}

/** Returns true if two readings of about equal length are certainly of different texts. */
export function isOtherText(first: string, second: string): boolean {
  const [a, b] = [first, second].map((text) =>
    withoutLookalikes(canonical(text.normalize('NFKD').replaceAll(/\p{M}/gu, ''))),
  );
  return a !== undefined && b !== undefined && a.length === b.length && a !== b;
}

/** A run of characters that two windows of a scrolling text share. */
export interface SharedRun {
  readonly inFirst: number;
  readonly inSecond: number;
  readonly length: number;
}

/** Returns the run by which a text has scrolled between two readings; undefined if it has not. */
export function scrolledRun(first: string, second: string): SharedRun | undefined {
  const run = longestSharedRun(first, second);
  const enough = Math.max(SCROLL_LENGTH, SCROLL_SHARE * Math.min(first.length, second.length));
  return run.length >= enough && run.inFirst !== run.inSecond ? run : undefined;
}

export function longestSharedRun(a: string, b: string): SharedRun {
  let [inFirst, inSecond, longest] = [0, 0, 0];
  // `row[j]` is the length of the run that ends before `b[j]`, in the row before. It is replaced from the right.
  const row = new Uint16Array(b.length + 1);
  for (let i = 0; i < a.length; i += 1) {
    const wanted = a.charCodeAt(i);
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const length = wanted === b.charCodeAt(j) ? (row[j] ?? 0) + 1 : 0;
      row[j + 1] = length;
      // If several end in this row, take the leftmost.
      if (length > longest || (length === longest && length > 0 && inFirst === i + 1 - length)) {
        [inFirst, inSecond, longest] = [i + 1 - length, j + 1 - length, length];
      }
    }
  }
  return { inFirst, inSecond, length: longest };
}
