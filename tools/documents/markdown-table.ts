/** Returns a table with an empty line before and after it. Cells are Markdown on one line. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return ['', rowOf(head), rowOf(head.map(() => '---')), ...rows.map(rowOf), ''].join('\n');
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}
