import type { Columns, Row } from './rows.ts';

/** A SELECT of the rows in parameter 1, a JSON array of objects. Fails if a value does not fit its column. */
export function rowsFromJson(columns: Columns): string {
  // Without the cast the parameter would have no type when the statement is prepared, and DuckDB would plan it at each
  // run.
  return `SELECT unnest(json_transform_strict($1::VARCHAR, ${quoted(JSON.stringify([columns]))}), recursive := true)`;
}

/** Returns the rows as text for `rowsFromJson`. A lone surrogate, which UTF-8 cannot encode, becomes U+FFFD. */
export function jsonOf<C extends Columns>(rows: readonly Row<C>[]): string {
  const json = JSON.stringify(rows);
  if (!json.includes(String.raw`\ud`)) return json;
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

/** Returns JSON as an SQL literal. Only the quote needs escaping; JSON itself escapes NUL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
