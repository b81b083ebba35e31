import { ServiceError } from '../errors.ts';
import type { TextRow } from './text-row.ts';

/** One JSON list with an object a line. The cells are JSON already. */
export async function* jsonText(
  columns: readonly string[],
  rows: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<string> {
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ServiceError('invalid_query', `Two columns are called ${JSON.stringify(twice)}: give one another name`);
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
