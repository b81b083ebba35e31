import type { TextRow } from './text-row.ts';

/** Rows that determine the column widths; a wider cell in a later row shifts the rest of its line. */
const MEASURED_ROWS = 1000;
const WIDEST = 60;

/** Yields a table for people, with a rule below the head and NULL as `∅`. */
export async function* tableText(
  columns: readonly string[],
  rows: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<string> {
  let held: TextRow[] | undefined = [columns];
  let widths: readonly number[] = [];
  for await (const some of rows) {
    if (held === undefined) {
      yield some.map((row) => tableLine(row, widths)).join('');
      continue;
    }
    held.push(...some);
    if (held.length <= MEASURED_ROWS) continue;
    widths = widthsOf(held);
    yield headOf(held, widths);
    held = undefined;
  }
  if (held !== undefined) yield headOf(held, widthsOf(held));
}

function headOf([head = [], ...rows]: readonly TextRow[], widths: readonly number[]): string {
  const rule = widths.map((width) => '─'.repeat(width));
  return [head, rule, ...rows].map((row) => tableLine(row, widths)).join('');
}

function widthsOf(rows: readonly TextRow[]): readonly number[] {
  const [head = []] = rows;
  return head.map((_, column) =>
    Math.min(
      WIDEST,
      rows.reduce((widest, row) => Math.max(widest, lengthOf(shown(row[column] ?? null))), 0),
    ),
  );
}

function tableLine(row: TextRow, widths: readonly number[]): string {
  const cells = row.map((cell, column) => {
    const text = shown(cell);
    return text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(text)));
  });
  return `${cells.join('  ').trimEnd()}\n`;
}

/** Returns the cell on one line and without control characters, because the text comes from videos. */
function shown(cell: string | null): string {
  if (cell === null) return '∅';
  return cell.replaceAll('\n', '↵').replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{FFFD}');
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
