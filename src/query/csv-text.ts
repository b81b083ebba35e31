import type { TextRow } from './text-row.ts';

const BYTE_ORDER_MARK = '\uFEFF';
/** A cell that a spreadsheet would compute. Numbers match too, and are harmless. */
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Yields CSV for spreadsheets: UTF-8 with a byte-order mark, no cell that is taken for a formula, else as
 * {@link rawCsvText}.
 */
export async function* csvText(
  columns: readonly string[],
  rows: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK;
  yield* rawCsvText(columns.map(safeCell), safeRows(rows));
}

async function* safeRows(rows: AsyncIterable<readonly TextRow[]>): AsyncGenerator<readonly TextRow[]> {
  for await (const some of rows) {
    yield some.map((cells) => cells.map((cell) => (cell === null ? null : safeCell(cell))));
  }
}

function safeCell(text: string): string {
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}

/** Yields CSV as in RFC 4180, but with LF: a head, then one row per line. NULL is empty, an empty text is `""`. */
export async function* rawCsvText(
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
