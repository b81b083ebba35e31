/** A found term with its index in the text. */
export interface Occurrence {
  readonly index: number;
  readonly text: string;
}

/**
 * Separators between the words of a term: nothing (camelCase or written together), underscores, hyphens of any kind,
 * white space, and the mark of a continued comment.
 */
const BETWEEN = String.raw`(?:[_\-\u2010-\u2015]+|\s+(?:(?:\*|//|--|#)\s+)?)?`;

/** Returns every position of a form of a term, given in snake_case, as whole words in any spelling and case. */
export function occurrencesOf(forms: readonly string[], text: string): readonly Occurrence[] {
  const found = forms.flatMap((form) => wholeWords(new RegExp(form.split('_').join(BETWEEN), 'giu'), text));
  // `websocket` equals `web_socket` written together; one position counts once.
  return [...new Map(found.map((occurrence) => [occurrence.index, occurrence])).values()];
}

/** Returns every position of a project phase: the word `phase` with a number. */
export function phasesIn(text: string): readonly Occurrence[] {
  return wholeWords(new RegExp(String.raw`phases?${BETWEEN}\d+`, 'giu'), text);
}

function wholeWords(pattern: RegExp, text: string): readonly Occurrence[] {
  const found: Occurrence[] = [];
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const end = match.index + match[0].length;
    if (isWordEdge(text, match.index) && isWordEdge(text, end)) found.push({ index: match.index, text: match[0] });
    // A rejected match may overlap a valid one.
    pattern.lastIndex = match.index + 1;
  }
  return found;
}

/**
 * Returns true for a word edge at `index`: beside anything but a letter (digits included, so that `sse2` is found),
 * between a small and a capital letter (`mySse`), and before the last of several capitals that begins a word
 * (`SSEClient`).
 */
function isWordEdge(text: string, index: number): boolean {
  const before = text.slice(Math.max(0, index - 1), index);
  const after = text.slice(index, index + 1);
  if (!isLetter(before) || !isLetter(after)) return true;
  if (!isCapital(after)) return false;
  const next = text.slice(index + 1, index + 2);
  return !isCapital(before) || (isLetter(next) && !isCapital(next));
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}

function isCapital(character: string): boolean {
  return /\p{Lu}/u.test(character);
}
