import type { TextRow } from './text-row.ts';

/** Yields CSV as in RFC 4180, but with LF: a head, then one row per line. NULL is empty, an empty text is `""`. */
export async function* csvText(
  columns: readonly string[],
  rows: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<string> {
  let head = csvLine(columns);
  for await (const some of rows) {
    yield head + some.map(csvLine).join('');
    head = '';
  }
  if (head !== '') yield head;
}

function csvLine(cells: TextRow): string {
  return `${cells.map((cell) => (cell === null ? '' : csvCell(cell))).join(',')}\n`;
}

function csvCell(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
