import { rangesOf, wordsOf } from './fold-text.ts';

/** A text with the words of a query marked. */
export function Marked({ text, query }: { readonly text: string; readonly query: string }) {
  const words = wordsOf(query);
  const ranges = words.length === 0 ? [] : rangesOf(text, words);
  let end = 0;
  const parts = ranges.flatMap(([from, to]) => {
    const before = text.slice(end, from);
    end = to;
    return [before, <mark key={from}>{text.slice(from, to)}</mark>];
  });
  return (
    <>
      {parts}
      {text.slice(end)}
    </>
  );
}
