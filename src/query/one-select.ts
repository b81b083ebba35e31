import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';

/**
 * Allowed table functions. An allow-list, because others read files, and `enable_logging` and `enable_profiling` write
 * files and print from a SELECT even with a locked configuration.
 */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'unnest',
  'range',
  'generate_series',
  'repeat',
  'json_each',
  'json_tree',
]);

const parsedSchema = z.union([
  z.object({ error: z.literal(true), error_message: z.string() }),
  z.object({ error: z.literal(false), statements: z.array(z.unknown()) }),
]);
const tableFunctionSchema = z.object({
  type: z.literal('TABLE_FUNCTION'),
  function: z.object({ function_name: z.string() }),
});

/**
 * Checks with DuckDB's parser that the text is one SELECT. Executes nothing.
 *
 * @throws ServiceError `invalid_query`
 */
export async function assertOneSelect(connection: DuckDBConnection, sql: string): Promise<void> {
  const result = await connection.run('SELECT json_serialize_sql($1::VARCHAR)::VARCHAR', [sql]);
  const [[text] = []] = await result.getRows();
  const called: string[] = [];
  const parsed = parsedSchema.parse(
    JSON.parse(String(text), (_, value: unknown) => {
      const { data } = tableFunctionSchema.safeParse(value);
      if (data !== undefined) called.push(data.function.function_name.toLowerCase());
      return value;
    }),
  );
  if (parsed.error) throw new ServiceError('invalid_query', parsed.error_message);
  if (parsed.statements.length !== 1) {
    throw new ServiceError('invalid_query', `Expected one SELECT, got ${parsed.statements.length} statements`);
  }
  const refused = called.find((name) => !TABLE_FUNCTIONS.has(name));
  if (refused !== undefined) {
    throw new ServiceError(
      'invalid_query',
      `The table function ${refused} is not allowed; allowed are ${[...TABLE_FUNCTIONS].join(', ')}`,
    );
  }
}
