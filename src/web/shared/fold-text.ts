/**
 * Text folded for comparison: without case, accents, apostrophes and punctuation, with the origin of each character.
 */
export interface FoldedText {
  readonly text: string;
  /** For each UTF-16 unit of `text`, its index in the original. */
  readonly places: readonly number[];
}

const DROPPED = /[\p{M}'’‘`´]/u;
const LETTER = /[\p{L}\p{N}]/u;

export function foldText(original: string): FoldedText {
  let text = '';
  const places: number[] = [];
  let place = 0;
  for (const character of original) {
    for (const part of character.normalize('NFKD').toLowerCase()) {
      if (DROPPED.test(part)) continue;
      const folded = LETTER.test(part) ? part : ' ';
      text += folded;
      for (let unit = 0; unit < folded.length; unit += 1) places.push(place);
    }
    place += character.length;
  }
  return { text, places };
}

/** Returns the distinct folded words of a query. */
export function wordsOf(query: string): readonly string[] {
  return [
    ...new Set(
      foldText(query)
        .text.split(' ')
        .filter((word) => word !== ''),
    ),
  ];
}

/** Returns true if a text has every word of a query, in any order. A query without words matches no text. */
export function hasAllWords(text: FoldedText, words: readonly string[]): boolean {
  return words.length > 0 && words.every((word) => text.text.includes(word));
}

/** Returns the positions of the words in the original text: ordered ranges without overlaps. */
export function rangesOf(original: string, words: readonly string[]): readonly (readonly [from: number, to: number])[] {
  const { text, places } = foldText(original);
  const isHit = Array.from({ length: original.length }, () => false);
  for (const word of words) {
    for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
      const last = places[at + word.length - 1] ?? 0;
      const length = (original.codePointAt(last) ?? 0) > 0xffff ? 2 : 1;
      isHit.fill(true, places[at], last + length);
    }
  }
  const ranges: (readonly [number, number])[] = [];
  for (let from = isHit.indexOf(true); from !== -1; from = isHit.indexOf(true, from)) {
    const next = isHit.indexOf(false, from);
    const to = next === -1 ? original.length : next;
    ranges.push([from, to]);
    from = to;
  }
  return ranges;
}
