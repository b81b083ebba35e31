import type { TextSegment } from './responses.ts';

/** Checks whether texts are seen in a video as expected. */

export interface TextExpectation {
  /** Texts that must all be seen; regular expressions if `isRegex`. */
  readonly texts: readonly string[];
  /** Texts that must not be seen. */
  readonly absent?: readonly string[] | undefined;
  readonly isRegex?: boolean | undefined;
  /** Number of characters that may be misread; default 0. A digit never counts as misread. */
  readonly edits?: number | undefined;
  /** Only between these times, in milliseconds; default the whole video. */
  readonly withinMs?: readonly [fromMs: number, toMs: number] | undefined;
  /** Minimum duration of one appearance; default 0. */
  readonly atLeastMs?: number | undefined;
}

export interface TextVerdict {
  readonly text: string;
  readonly isAbsence: boolean;
  readonly isMet: boolean;
  /** Where it was seen; undefined if it was not. */
  readonly seen: TextSegment | undefined;
  /** The most similar recognised text; undefined if there was none. */
  readonly nearest: TextSegment | undefined;
}

/** Returns one result per text, in the order of the expectation. */
export function judgeTexts(expectation: TextExpectation, segments: readonly TextSegment[]): readonly TextVerdict[] {
  const { texts, absent = [], withinMs: [fromMs, toMs] = [0, Number.POSITIVE_INFINITY], atLeastMs = 0 } = expectation;
  const counted = segments.filter((segment) => {
    const shownMs = Math.min(segment.end_ms, toMs) - Math.max(segment.start_ms, fromMs);
    return shownMs > 0 && shownMs >= atLeastMs;
  });
  const judge = (text: string, isAbsence: boolean): TextVerdict => {
    // Part of a word is no proof that a text is there; it does disprove that a text is absent.
    const matches = matcher(text, expectation, isAbsence ? cutsNumber : cutsWord);
    const seen = counted.find((segment) => matches(segment.text));
    return {
      text,
      isAbsence,
      isMet: (seen !== undefined) !== isAbsence,
      seen,
      nearest: nearestTo(text, segments),
    };
  };
  return [...texts.map((text) => judge(text, false)), ...absent.map((text) => judge(text, true))];
}

/** @throws SyntaxError for an invalid regular expression */
function matcher(text: string, { isRegex = false, edits = 0 }: TextExpectation, cuts: Cut): (read: string) => boolean {
  if (isRegex) {
    const pattern = new RegExp(text, 'u');
    return (read) => pattern.test(read);
  }
  const wanted = spaced(text);
  return (read) => {
    const found = spaced(read);
    for (let at = found.indexOf(wanted); at !== -1; at = found.indexOf(wanted, at + 1)) {
      if (!cuts(found, at) && !cuts(found, at + wanted.length)) return true;
    }
    if (edits === 0) return false;
    const { errors, start, end } = bestPart(wanted, found, cuts);
    return errors <= edits && digitsOf(found.slice(start, end)) === digitsOf(wanted);
  };
}

function nearestTo(text: string, segments: readonly TextSegment[]): TextSegment | undefined {
  let nearest: TextSegment | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const segment of segments) {
    const { errors } = bestPart(spaced(text).toLowerCase(), spaced(segment.text).toLowerCase());
    if (errors < least) [nearest, least] = [segment, errors];
  }
  return nearest;
}

function spaced(text: string): string {
  return text.normalize('NFC').trim().replaceAll(/\s+/g, ' ');
}

function digitsOf(text: string): string {
  return text.replaceAll(/\P{Nd}/gu, '');
}

/** Returns true if a part of this text must not begin or end there. */
type Cut = (text: string, at: number) => boolean;

/** Returns true within a number: `gate 1` is not seen in `gate 10`. */
function cutsNumber(text: string, at: number): boolean {
  return /\p{Nd}/u.test(text.charAt(at - 1)) && /\p{Nd}/u.test(text.charAt(at));
}

const LETTER = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}]/u;

/**
 * Returns true within a number or a word: `complete` is not seen in `completed`. A capital after a small letter begins
 * a word, because the recogniser may lose the space. Scripts that write words without spaces have no such place.
 */
function cutsWord(text: string, at: number): boolean {
  const [before, after] = [text.charAt(at - 1), text.charAt(at)];
  if (cutsNumber(text, at)) return true;
  return LETTER.test(before) && LETTER.test(after) && !(/\p{Ll}/u.test(before) && /\p{Lu}/u.test(after));
}

/**
 * Returns the part of a text that is most similar to the expected one, and the number of differing characters (Sellers
 * 1980).
 */
function bestPart(
  wanted: string,
  text: string,
  cuts: Cut = () => false,
): { readonly errors: number; readonly start: number; readonly end: number } {
  const allowed = (count: number, at: number): number => (cuts(text, at) ? Number.POSITIVE_INFINITY : count);
  let errors: number[] = Array.from({ length: text.length + 1 }, (_, at) => allowed(0, at));
  let starts: number[] = Array.from({ length: text.length + 1 }, (_, at) => at);
  for (let i = 1; i <= wanted.length; i += 1) {
    const nextErrors = [i];
    const nextStarts = [0];
    for (let j = 1; j <= text.length; j += 1) {
      const replaced = (errors[j - 1] ?? 0) + (wanted[i - 1] === text[j - 1] ? 0 : 1);
      const left = (nextErrors[j - 1] ?? 0) + 1;
      const above = (errors[j] ?? 0) + 1;
      const least = Math.min(replaced, left, above);
      nextErrors.push(least);
      const start = least === replaced ? starts[j - 1] : least === above ? starts[j] : nextStarts[j - 1];
      nextStarts.push(start ?? 0);
    }
    [errors, starts] = [nextErrors, nextStarts];
  }
  errors = errors.map(allowed);
  const least = Math.min(...errors);
  const end = errors.indexOf(least);
  return { errors: least, start: starts[end] ?? 0, end };
}
