/** Minimum length of a word that may have a wrong letter, because shorter words are too often similar to others. */
const FORGIVING_LETTERS = 5;
const LETTERS = /^\p{L}+$/u;
/** Sorts behind every word. */
const LAST = '\u{10FFFF}';

/**
 * Returns an SQL statement that selects, as `asked` (position in the list), `word_no` and `word`, the words of the index
 * equal to one of these, and those with one letter wrong, missing or added and few others. Words consist of letters and
 * digits, and a label of its mark and such words, so they need no quoting.
 */
export function similarWords(asked: readonly string[]): string {
  return asked
    .flatMap((word, at) => {
      const letters = Array.from(word);
      return letters.length < FORGIVING_LETTERS || !LETTERS.test(word)
        ? [`SELECT ${at} AS asked, word_no, word FROM words WHERE word = '${word}'`]
        : nearWords(word, letters, at);
    })
    .join(' UNION ALL ');
}

/**
 * One edit leaves one of the halves unchanged at its end of the word: the partition into exact searches of Wu and Manber
 * (Fast text searching allowing errors, 1992). Each half is a range of a sorted table. DuckDB counts edits in bytes, of
 * which a letter has at most four.
 */
function nearWords(word: string, letters: readonly string[], at: number): readonly string[] {
  const middle = Math.floor(letters.length / 2);
  const [left, right] = [letters.slice(0, middle).join(''), letters.slice(middle).join('')];
  const isAscii = Buffer.byteLength(word) === letters.length;
  const isClose = (column: string, wanted: string): string =>
    `length(${column}) BETWEEN ${letters.length - 1} AND ${letters.length + 1} AND levenshtein(${column}, ${wanted})
      <= ${isAscii ? `CASE WHEN strlen(${column}) = length(${column}) THEN 1 ELSE 4 END` : '4'}`;
  return [
    `SELECT ${at} AS asked, word_no, word FROM words
      WHERE word >= '${left}' AND word < '${left}${LAST}' AND ${isClose('word', `'${word}'`)}`,
    `SELECT ${at} AS asked, word_no, reverse(ending) AS word FROM endings
      WHERE ending >= reverse('${right}') AND ending < reverse('${right}') || '${LAST}'
        AND NOT ends_with(ending, reverse('${left}')) AND ${isClose('ending', `reverse('${word}')`)}`,
  ];
}
