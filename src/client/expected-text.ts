import type { TextSegment } from './responses.ts';

/** Whether texts are seen in a video as they are expected to be. */

export interface TextExpectation {
  /** What must be seen; every one of them. Read as regular expressions when `isRegex`. */
  readonly texts: readonly string[];
  /** What must not be seen. */
  readonly absent?: readonly string[] | undefined;
  readonly isRegex?: boolean | undefined;
  /** Characters that may be read wrong; default 0. None of them may be a digit. */
  readonly edits?: number | undefined;
  /** Only what is seen between these times counts, in milliseconds; default the whole video. */
  readonly withinMs?: readonly [fromMs: number, toMs: number] | undefined;
  /** How long it must be seen in one piece; default 0. */
  readonly atLeastMs?: number | undefined;
}

export interface TextVerdict {
  readonly text: string;
  readonly isAbsence: boolean;
  readonly isMet: boolean;
  /** Where it was seen; undefined when it was not. */
  readonly seen: TextSegment | undefined;
  /** The most similar text that was read; undefined when none was. */
  readonly nearest: TextSegment | undefined;
}

/** One verdict for each text, in the order of the expectation. */
export function judgeTexts(expectation: TextExpectation, segments: readonly TextSegment[]): readonly TextVerdict[] {
  const { texts, absent = [], withinMs: [fromMs, toMs] = [0, Number.POSITIVE_INFINITY], atLeastMs = 0 } = expectation;
  const counted = segments.filter((segment) => {
    const shownMs = Math.min(segment.end_ms, toMs) - Math.max(segment.start_ms, fromMs);
    return shownMs > 0 && shownMs >= atLeastMs;
  });
  const judge = (text: string, isAbsence: boolean): TextVerdict => {
    const matches = matcher(text, expectation);
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

/** @throws SyntaxError for a text that is no regular expression */
function matcher(text: string, { isRegex = false, edits = 0 }: TextExpectation): (read: string) => boolean {
  if (isRegex) {
    const pattern = new RegExp(text, 'u');
    return (read) => pattern.test(read);
  }
  const wanted = spaced(text);
  return (read) => {
    const found = spaced(read);
    for (let at = found.indexOf(wanted); at !== -1; at = found.indexOf(wanted, at + 1)) {
      if (!cutsNumber(found, at) && !cutsNumber(found, at + wanted.length)) return true;
    }
    if (edits === 0) return false;
    const { errors, start, end } = bestPart(wanted, found);
    if (errors > edits || cutsNumber(found, start) || cutsNumber(found, end)) return false;
    return digitsOf(found.slice(start, end)) === digitsOf(wanted);
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

/** True within a number: `gate 1` is not seen in `gate 10`. */
function cutsNumber(text: string, at: number): boolean {
  return /\p{Nd}/u.test(text.charAt(at - 1)) && /\p{Nd}/u.test(text.charAt(at));
}

/** The part of a text that is most like the wanted one, and how many characters must be changed (Sellers 1980). */
function bestPart(
  wanted: string,
  text: string,
): { readonly errors: number; readonly start: number; readonly end: number } {
  let errors: number[] = Array.from({ length: text.length + 1 }, () => 0);
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
  const least = Math.min(...errors);
  const end = errors.indexOf(least);
  return { errors: least, start: starts[end] ?? 0, end };
}
