import type { DuckDBConnection } from '@duckdb/node-api';
import { jsonOf, quoted, rowsFromJson } from './row-source.ts';
import type { Columns, Row } from './rows.ts';

/**
 * An INSERT of any number of rows, because DuckDB's cost is per statement, not per row. It is prepared under a name on
 * one connection, so that all inserts of a batch are one text and one call; separate calls would each wait for the
 * event loop. Only a statement that reads no table may be prepared like this, because a reused plan sees the table as
 * it was when it was planned.
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

  /** Returns SQL that inserts these rows; empty for none. */
  of(rows: readonly Row<C>[]): readonly string[] {
    return rows.length === 0 ? [] : [`EXECUTE ${this.#name}(${quoted(jsonOf(rows))})`];
  }
}
