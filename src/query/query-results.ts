import { DuckDBTypeId, type DuckDBConnection, type DuckDBPreparedStatement } from '@duckdb/node-api';
import { messageOf, ServiceError } from '../errors.ts';
import { csvText, rawCsvText } from './csv-text.ts';
import { jsonText } from './json-text.ts';
import { assertOneSelect } from './one-select.ts';
import { quoted, ResultsDatabase } from './results-database.ts';
import { tableText } from './table-text.ts';
import { writtenRows } from './written-rows.ts';

const TEXTS = { table: tableText, csv: csvText, 'raw csv': rawCsvText, json: jsonText };
export type TextFormat = keyof typeof TEXTS;

export interface QueryOptions {
  /** The service's `DATA_DIR`. The service may be running. */
  readonly dataDir: string;
  /** One SELECT. */
  readonly sql: string;
  /** Aborts the query, which then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * Yields the answer to a query in pieces, after the query is complete. Holds some thousand rows at a time.
 *
 * @throws ServiceError `invalid_query` with DuckDB's message, `file_missing` without a data folder
 */
export async function* queryText(options: QueryOptions & { readonly format: TextFormat }): AsyncGenerator<string> {
  await using database = await ResultsDatabase.open(options);
  const { connection } = database;
  try {
    const columns = await selectedColumns(connection, options.sql);
    const aliases = columns.map((_column, index) => `c${index}`);
    await createSelected(connection, `selected(${aliases.join()})`, options.sql);
    const cell = options.format === 'json' ? jsonCell : textCell;
    const cells = columns.map(({ typeId }, index) => cell(typeId, `c${index}`));
    // Through a file, because rows returned while a query runs end silently on an error, and rows kept until the end
    // have no memory limit.
    await connection.run(
      `COPY (SELECT ${cells.map((text, index) => `${text} AS c${index}`).join()} FROM selected)
        TO ${quoted(database.answerPath)} (FORMAT json, USE_TMP_FILE false)`,
    );
    yield* TEXTS[options.format](
      columns.map(({ name }) => name),
      writtenRows(database.answerPath),
    );
  } catch (error) {
    throw causeOf(error, options.signal);
  }
}

/** Writes the answer as a Parquet file to `exportPath`, which must not exist. */
export async function queryParquet(options: QueryOptions & { readonly exportPath: string }): Promise<void> {
  await using database = await ResultsDatabase.open(options);
  const { connection } = database;
  try {
    await selectedColumns(connection, options.sql);
    await createSelected(connection, 'selected', options.sql);
    await connection.run(`COPY selected TO ${quoted(options.exportPath)} (FORMAT parquet, USE_TMP_FILE false)`);
  } catch (error) {
    throw causeOf(error, options.signal);
  }
}

interface Column {
  readonly name: string;
  readonly typeId: DuckDBTypeId;
}

async function selectedColumns(connection: DuckDBConnection, sql: string): Promise<readonly Column[]> {
  await assertOneSelect(connection, sql);
  const prepared = await connection.prepare(sql);
  if (prepared.parameterCount > 0)
    throw new ServiceError('invalid_query', 'Parameters are not supported: write the value into the query');
  return columnsOf(prepared);
}

function columnsOf(prepared: DuckDBPreparedStatement): readonly Column[] {
  return Array.from({ length: prepared.columnCount }, (_, index) => ({
    name: prepared.columnName(index),
    typeId: prepared.columnTypeId(index),
  }));
}

/** The text was checked to be one SELECT and is the last part of the statement, so it cannot end an earlier part. */
async function createSelected(connection: DuckDBConnection, view: string, sql: string): Promise<void> {
  try {
    await connection.run(`CREATE TEMP VIEW ${view} AS\n${sql}`);
  } catch (cause) {
    if (!messageOf(cause).startsWith('Parser Error')) throw cause;
    throw new ServiceError(
      'invalid_query',
      'Only a SELECT is allowed; list the columns of a view with FROM (DESCRIBE frames)',
      {
        cause,
      },
    );
  }
}

function textCell(typeId: DuckDBTypeId, column: string): string {
  // ISO 8601 UTC, as everywhere in the service.
  return typeId === DuckDBTypeId.TIMESTAMP_TZ ? `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%gZ')` : `${column}::VARCHAR`;
}

function jsonCell(typeId: DuckDBTypeId, column: string): string {
  if (typeId === DuckDBTypeId.TIMESTAMP_TZ) return `to_json(${textCell(typeId, column)})::VARCHAR`;
  // JSON has no NaN and no infinity.
  const isFloat = typeId === DuckDBTypeId.DOUBLE || typeId === DuckDBTypeId.FLOAT;
  return isFloat ? `CASE WHEN isfinite(${column}) THEN to_json(${column})::VARCHAR END` : `to_json(${column})::VARCHAR`;
}

/** Returns the error to throw: an abort, a ServiceError, or DuckDB's message. */
function causeOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof ServiceError) return error;
  return new ServiceError('invalid_query', messageOf(error), { cause: error });
}
