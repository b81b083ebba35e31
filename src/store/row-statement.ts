import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBResultReader } from '@duckdb/node-api';
import { jsonOf, rowsFromJson } from './row-source.ts';
import type { Columns, Row } from './rows.ts';

/** A statement that reads a table and any number of rows. DuckDB plans it at each run, so every column costs time. */
export class RowStatement<C extends Columns> {
  readonly #prepared: DuckDBPreparedStatement;

  private constructor(prepared: DuckDBPreparedStatement) {
    this.#prepared = prepared;
  }

  /** @param sql returns the statement for `source`, a SELECT of the rows */
  static async prepare<C extends Columns>(
    connection: DuckDBConnection,
    columns: C,
    sql: (source: string) => string,
  ): Promise<RowStatement<C>> {
    return new RowStatement(await connection.prepare(sql(rowsFromJson(columns))));
  }

  async run(rows: readonly Row<C>[]): Promise<DuckDBResultReader> {
    this.#prepared.bindVarchar(1, jsonOf(rows));
    return this.#prepared.runAndReadAll();
  }
}
