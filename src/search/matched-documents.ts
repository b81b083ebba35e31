/** A word of a query and the matching words of the index. */
export interface WantedWord {
  readonly word: string;
  readonly found: readonly { readonly number: number; readonly word: string; readonly isExact: boolean }[];
}

/** Words that must follow each other. */
export interface WantedPhrase {
  readonly text: string;
  /** The spellings of each word of the phrase. */
  readonly words: readonly (readonly string[])[];
}

export interface Wanted {
  /** Empty for a query with only a label. */
  readonly words: readonly WantedWord[];
  readonly phrases: readonly WantedPhrase[];
  /** Number of the word of the label. */
  readonly labelWord: number | undefined;
}

/**
 * Returns statements that create the table `matched` of all found documents: `doc`, `video`, `is_exact`, and `part`, 0
 * for texts, 1 for a label in addition. Words consist of letters and digits and need no quoting.
 */
export function matchedDocuments({ words, phrases, labelWord }: Wanted): readonly string[] {
  const label = (part: number) =>
    `SELECT doc, video, true AS is_exact, ${part} AS part FROM postings WHERE word_no = ${labelWord}`;
  if (words.length === 0) return [`CREATE OR REPLACE TEMP TABLE matched AS ${label(0)}`];
  const both = labelWord === undefined ? '' : ` UNION ALL ${label(1)}`;
  if (phrases.length === 0) {
    return [`CREATE OR REPLACE TEMP TABLE matched AS SELECT *, 0 AS part FROM (${withWords(words)})${both}`];
  }
  return [
    `CREATE OR REPLACE TEMP TABLE candidates AS ${withWords(words)}`,
    `CREATE OR REPLACE TEMP TABLE matched AS
      SELECT doc, video, is_exact AND ${phrases.map(exactly).join(' AND ')} AS is_exact, 0 AS part
      FROM (SELECT doc, candidates.video, is_exact, ' ' || folded || ' ' AS text
        FROM candidates JOIN documents USING (doc))
      WHERE ${phrases.map(nearly).join(' AND ')}${both}`,
  ];
}

/** Returns the documents with all of the words. */
function withWords(words: readonly WantedWord[]): string {
  const all = 2 ** words.length - 1;
  const wanted = words.flatMap(({ found }, at) =>
    found.map(({ number, isExact }) => ({ number, bit: 2 ** at, exactBit: isExact ? 2 ** at : 0 })),
  );
  const rows = wanted.map(({ number, bit, exactBit }) => `(${number}, ${bit}, ${exactBit})`);
  return `SELECT doc, any_value(video) AS video, bit_or(exact_bit) = ${all} AS is_exact
    FROM postings JOIN (VALUES ${rows.join()}) wanted(word_no, bit, exact_bit) USING (word_no)
    WHERE word_no IN (${wanted.map(({ number }) => number).join()})
    GROUP BY doc HAVING bit_or(bit) = ${all}`;
}

function exactly({ text }: WantedPhrase): string {
  return `contains(text, ' ${text} ')`;
}

function nearly({ words }: WantedPhrase): string {
  return `regexp_matches(text, ' ${words.map((spelt) => `(?:${spelt.join('|')})`).join(' ')} ')`;
}
