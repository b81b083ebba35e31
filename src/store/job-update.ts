import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { RowStatement } from './row-statement.ts';
import type { Columns, Row } from './rows.ts';

const KEY_COLUMNS = { job_id: 'UUID', revision: 'INTEGER' } as const satisfies Columns;
type Keyed<C extends Columns> = typeof KEY_COLUMNS & C;

/**
 * An UPDATE of jobs whose stored revision is the previous one. A single job, the most frequent case, is found without a
 * join, which takes 1.5 ms instead of 2.1.
 */
export class JobUpdate<C extends Columns> {
  readonly #columns: readonly (string & keyof Keyed<C>)[];
  readonly #one: DuckDBPreparedStatement;
  readonly #many: RowStatement<Keyed<C>>;

  private constructor(
    columns: readonly (string & keyof Keyed<C>)[],
    one: DuckDBPreparedStatement,
    many: RowStatement<Keyed<C>>,
  ) {
    this.#columns = columns;
    this.#one = one;
    this.#many = many;
  }

  static async prepare<C extends Columns>(connection: DuckDBConnection, columns: C): Promise<JobUpdate<C>> {
    const keyed: Keyed<C> = { ...KEY_COLUMNS, ...columns };
    const names = Object.keys(keyed);
    const one = updateTo(columns, (column) => `$${names.indexOf(column) + 1}::${keyed[column]}`);
    const many = (source: string): string => updateTo(columns, (column) => `next.${column}`, `FROM (${source}) next`);
    return new JobUpdate(names, await connection.prepare(one), await RowStatement.prepare(connection, keyed, many));
  }

  /** Returns the number of changed rows. */
  async run(rows: readonly Row<Keyed<C>>[]): Promise<number> {
    const [row] = rows;
    if (row === undefined || rows.length > 1) return (await this.#many.run(rows)).rowsChanged;
    this.#one.bind(this.#columns.map((column) => row[column]));
    return (await this.#one.run()).rowsChanged;
  }
}

/** @param next the new value of a column, as SQL */
function updateTo(columns: Columns, next: (column: string) => string, from = ''): string {
  const assignments = Object.keys(columns).map((column) => `${column} = ${next(column)}`);
  return `UPDATE jobs SET ${assignments.join()} ${from}
          WHERE jobs.job_id = ${next('job_id')} AND jobs.revision = ${next('revision')} - 1`;
}
