import type { Columns, Row } from './rows.ts';

/** A SELECT of the rows in parameter 1, a JSON array of objects; refuses what does not fit its column. */
export function rowsFromJson(columns: Columns): string {
  // Without the cast the parameter has no type when the statement is prepared, and it would be planned at each run.
  return `SELECT unnest(json_transform_strict($1::VARCHAR, ${quoted(JSON.stringify([columns]))}), recursive := true)`;
}

/** The rows as `rowsFromJson` reads them. Half of a surrogate pair, which has no place in UTF-8, becomes U+FFFD. */
export function jsonOf<C extends Columns>(rows: readonly Row<C>[]): string {
  const json = JSON.stringify(rows);
  if (!json.includes(String.raw`\ud`)) return json;
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

/** JSON as SQL: in a literal of DuckDB the quote alone means something else than itself, but for a NUL, which JSON escapes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
