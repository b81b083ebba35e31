/** Minimum length of a word that may have a wrong letter, because shorter words are too often similar to others. */
const FORGIVING_LETTERS = 5;
const LETTERS = /^\p{L}+$/u;

/**
 * Returns the halves of a word that may be found with one letter wrong, missing or added; undefined for other words.
 */
export function halvesOf(word: string): readonly [string, string] | undefined {
  const letters = Array.from(word);
  if (letters.length < FORGIVING_LETTERS || !LETTERS.test(word)) return undefined;
  const middle = Math.floor(letters.length / 2);
  return [letters.slice(0, middle).join(''), letters.slice(middle).join('')];
}

/**
 * Returns an SQL condition on `word` that holds for every word within one edit of `asked`, and few others. One edit
 * leaves one of the halves unchanged at its end of the word: the partition into exact searches of Wu and Manber (Fast
 * text searching allowing errors, 1992). DuckDB counts edits in bytes, of which a letter has at most four.
 */
export function nearCondition(asked: string, [left, right]: readonly [string, string]): string {
  const { length } = Array.from(asked);
  const isAscii = Buffer.byteLength(asked) === length;
  return `length(word) BETWEEN ${length - 1} AND ${length + 1}
    AND (starts_with(word, '${left}') OR ends_with(word, '${right}'))
    AND levenshtein(word, '${asked}') <= ${isAscii ? 'CASE WHEN strlen(word) = length(word) THEN 1 ELSE 4 END' : '4'}`;
}
