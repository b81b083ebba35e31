/** A piece of a query that must be found: a word, or words that follow each other. */
export type SearchTerm = string;

/** Has at least one letter or digit. */
const WORD = /[\p{L}\p{N}]/u;

/**
 * Splits a query at white space, except within double quotes. An unclosed quote ends with the text. `lost "payment
 * failed` gives `lost` and `payment failed`.
 */
export function termsOf(text: string): readonly SearchTerm[] {
  const pieces = text.matchAll(/["“”„]([^"“”„]*)["“”„]?|[^\s"“”„]+/gu);
  return [...pieces].map(([whole, quoted]) => quoted ?? whole).filter((piece) => WORD.test(piece));
}
