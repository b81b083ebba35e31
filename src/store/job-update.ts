import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { jsonOf, quoted, rowsFromJson } from './row-source.ts';
import type { Columns, Row } from './rows.ts';

const KEY_COLUMNS = { job_id: 'UUID', revision: 'INTEGER' } as const satisfies Columns;
type Keyed<C extends Columns> = typeof KEY_COLUMNS & C;

/**
 * An UPDATE of the jobs whose stored revision is the one before the row's. DuckDB plans a statement that reads a table
 * anew at each run, so every column costs, and a single row is cheaper as the plainest statement there is.
 */
export class JobUpdate<C extends Columns> {
  readonly #connection: DuckDBConnection;
  readonly #columns: Keyed<C>;
  readonly #many: DuckDBPreparedStatement;

  private constructor(connection: DuckDBConnection, columns: Keyed<C>, many: DuckDBPreparedStatement) {
    this.#connection = connection;
    this.#columns = columns;
    this.#many = many;
  }

  static async prepare<C extends Columns>(connection: DuckDBConnection, columns: C): Promise<JobUpdate<C>> {
    const keyed = { ...KEY_COLUMNS, ...columns };
    const many = await connection.prepare(
      `UPDATE jobs SET ${assignments(keyed, (column) => `next.${column}`)} FROM (${rowsFromJson(keyed)}) next
       WHERE jobs.job_id = next.job_id AND jobs.revision = next.revision - 1`,
    );
    return new JobUpdate(connection, keyed, many);
  }

  /** The number of rows that were changed. */
  async run(rows: readonly Row<Keyed<C>>[]): Promise<number> {
    const [row] = rows;
    if (row !== undefined && rows.length === 1) return this.#runOne(row);
    this.#many.bindVarchar(1, jsonOf(rows));
    return (await this.#many.run()).rowsChanged;
  }

  async #runOne(row: Row<Keyed<C>>): Promise<number> {
    const value = (column: keyof Keyed<C>): string => {
      const given = row[column];
      return given === null ? 'NULL' : `${quoted(String(given))}::${this.#columns[column]}`;
    };
    const { rowsChanged } = await this.#connection.run(
      `UPDATE jobs SET ${assignments(this.#columns, value)}
       WHERE job_id = ${value('job_id')} AND revision = ${value('revision')} - 1`,
    );
    return rowsChanged;
  }
}

function assignments<C extends Columns>(columns: C, value: (column: string & keyof C) => string): string {
  return Object.keys(columns)
    .filter((column) => column !== 'job_id')
    .map((column) => `${column} = ${value(column)}`)
    .join();
}
