import { createReadStream } from 'node:fs';
import { z } from 'zod';
import type { TextRow } from './text-row.ts';

const rowSchema = z.record(z.string(), z.string().nullable()).transform((row): TextRow => Object.values(row));

/** Yields batches of rows that DuckDB wrote as JSON, one object per line with a text or null in each column. */
export async function* writtenRows(path: string): AsyncGenerator<readonly TextRow[]> {
  let rest = '';
  for await (const piece of createReadStream(path, 'utf8')) {
    const lines = (rest + String(piece)).split('\n');
    rest = lines.pop() ?? '';
    yield lines.map((line) => rowSchema.parse(JSON.parse(line)));
  }
}
