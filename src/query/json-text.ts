import { ServiceError } from '../errors.ts';
import type { TextRow } from './text-row.ts';

/** Yields one JSON list with one object per line. Cells are JSON already. */
export async function* jsonText(
  columns: readonly string[],
  rows: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<string> {
  const duplicate = columns.find((name, index) => columns.indexOf(name) !== index);
  if (duplicate !== undefined) {
    throw new ServiceError('invalid_query', `Two columns are named ${JSON.stringify(duplicate)}: rename one with AS`);
  }
  const keys = columns.map((name) => JSON.stringify(name));
  const objectOf = (row: TextRow): string =>
    `{${row.map((cell, index) => `${keys[index] ?? ''}:${cell ?? 'null'}`).join(',')}}`;
  let separator = '[\n';
  for await (const some of rows) {
    if (some.length === 0) continue;
    yield separator + some.map(objectOf).join(',\n');
    separator = ',\n';
  }
  yield separator === ',\n' ? '\n]\n' : '[]\n';
}
