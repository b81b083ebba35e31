/** The words of the index that count as a word of a query. */
export interface WantedWord {
  readonly found: readonly { readonly number: number; readonly isExact: boolean }[];
}

/** A word, or words that must follow each other. */
export type WantedTerm = readonly WantedWord[];

/**
 * Returns a SELECT of `doc`, `video` and `is_exact` of the documents with all of the terms; a document is selected as
 * often as it has the first one. Terms are joined, because to group all their postings by document costs three times as
 * much.
 * @param within further SQL condition on `postings`
 */
export function documentsWith(terms: readonly WantedTerm[], within = 'true'): string {
  const [first = [], ...others] = terms;
  const joins = others.map(
    (term, at) =>
      `JOIN (SELECT doc, bool_or(is_exact) AS is_exact FROM (${appearances(term, within)}) GROUP BY doc) other${at} USING (doc)`,
  );
  const isExact = ['first.is_exact', ...others.map((_, at) => `other${at}.is_exact`)].join(' AND ');
  return `SELECT doc, video, ${isExact} AS is_exact FROM (${appearances(first, within)}) first ${joins.join(' ')}`;
}

/** Selects where the words of a term follow each other. */
function appearances(term: WantedTerm, within: string): string {
  const words = term.map(({ found }, nth) => {
    const exact = found.filter(({ isExact }) => isExact).map(({ number }) => number);
    return `(SELECT doc, video, place, ${exact.length === 0 ? 'false' : `word_no IN (${exact.join()})`} AS is_exact
      FROM postings WHERE word_no IN (${found.map(({ number }) => number).join()}) AND ${within}) word${nth}`;
  });
  const [first = '', ...others] = words;
  const joins = others.map(
    (word, at) => `JOIN ${word} ON word${at + 1}.doc = word0.doc AND word${at + 1}.place = word0.place + ${at + 1}`,
  );
  const isExact = term.map((_, nth) => `word${nth}.is_exact`).join(' AND ');
  return `SELECT word0.doc, word0.video, ${isExact} AS is_exact FROM ${first} ${joins.join(' ')}`;
}
