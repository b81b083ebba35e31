import type { DuckDBConnection } from '@duckdb/node-api';
import { jsonOf, quoted, rowsFromJson } from './row-source.ts';
import type { Columns, Row } from './rows.ts';

/**
 * An INSERT of any number of rows: what costs time in DuckDB is the statement, not the row. It is prepared under a name
 * on one connection, so that all inserts of a batch are one text and one call: called one by one, each would wait until
 * the event loop is free before the next can begin. Only a statement that reads no table may be kept like this: a plan
 * that EXECUTE uses again takes what a table held when it was made for what it holds.
 */
export class RowInsert<C extends Columns> {
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
  }

  static async prepare<C extends Columns>(
    connection: DuckDBConnection,
    table: string,
    columns: C,
  ): Promise<RowInsert<C>> {
    const name = `insert_${table}`;
    await connection.run(
      `PREPARE ${name} AS INSERT INTO ${table} (${Object.keys(columns).join()}) ${rowsFromJson(columns)}`,
    );
    return new RowInsert(name);
  }

  /** SQL that inserts these rows; nothing where there are none. */
  of(rows: readonly Row<C>[]): readonly string[] {
    return rows.length === 0 ? [] : [`EXECUTE ${this.#name}(${quoted(jsonOf(rows))})`];
  }
}
