import {
  DuckDBTimestampValue,
  DuckDBUUIDValue,
  type DuckDBConnection,
  type DuckDBPreparedStatement,
} from '@duckdb/node-api';
import type { Columns, ColumnType, Row } from './rows.ts';

/** Up to so many rows, a statement each is cheaper than one statement that has to take JSON apart (0.25 against 0.7 ms). */
const MAX_SINGLE_ROWS = 2;

/** SQL over the rows of `source`, a SELECT, or over one row whose values are `value(column)`. */
interface Sql {
  readonly single: (value: (column: string) => string) => string;
  readonly many: (source: string) => string;
}

/**
 * One statement over many rows, prepared for a single row with native parameters and for any number of rows that come
 * as one JSON array: what costs time in DuckDB is the statement, not the row.
 *
 * Every parameter is cast to its column's type. Where the type bound is another than the type expected, and a NULL has
 * none, DuckDB plans the prepared statement anew at each run, which takes three times as long; so there is a single
 * statement for each set of columns that are null.
 */
export class TableStatement<C extends Columns> {
  readonly #connection: DuckDBConnection;
  readonly #columns: readonly (readonly [string, ColumnType])[];
  readonly #sql: Sql;
  readonly #single = new Map<string, DuckDBPreparedStatement>();
  readonly #many: DuckDBPreparedStatement;

  private constructor(connection: DuckDBConnection, columns: C, sql: Sql, many: DuckDBPreparedStatement) {
    this.#connection = connection;
    this.#columns = Object.entries(columns);
    this.#sql = sql;
    this.#many = many;
  }

  static async insert<C extends Columns>(
    connection: DuckDBConnection,
    table: string,
    columns: C,
  ): Promise<TableStatement<C>> {
    const names = Object.keys(columns);
    return TableStatement.#prepare(connection, columns, {
      single: (value) => `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(value).join()})`,
      many: (source) => `INSERT INTO ${table} (${names.join()}) ${source}`,
    });
  }

  /** Sets `columns` where `job_id` is the row's and the stored revision is the one before the row's. */
  static async update<C extends Columns>(
    connection: DuckDBConnection,
    table: string,
    columns: C,
  ): Promise<TableStatement<{ readonly job_id: 'UUID' } & C>> {
    const assign = (value: (column: string) => string) =>
      Object.keys(columns)
        .map((name) => `${name} = ${value(name)}`)
        .join();
    const where = (value: (column: string) => string) =>
      `WHERE ${table}.job_id = ${value('job_id')} AND ${table}.revision = ${value('revision')} - 1`;
    return TableStatement.#prepare(connection, { job_id: 'UUID', ...columns } as const, {
      single: (value) => `UPDATE ${table} SET ${assign(value)} ${where(value)}`,
      many: (source) => `UPDATE ${table} SET ${assign(ofNext)} FROM (${source}) next ${where(ofNext)}`,
    });
  }

  static async #prepare<C extends Columns>(
    connection: DuckDBConnection,
    columns: C,
    sql: Sql,
  ): Promise<TableStatement<C>> {
    return new TableStatement(connection, columns, sql, await connection.prepare(sql.many(rowsFromJson(columns))));
  }

  /** The number of rows that were inserted or changed. */
  async run(rows: readonly Row<C>[]): Promise<number> {
    if (rows.length > MAX_SINGLE_ROWS) {
      this.#many.bindVarchar(1, JSON.stringify(rows));
      return (await this.#many.run()).rowsChanged;
    }
    let changed = 0;
    for (const row of rows) changed += await this.#runSingle(row);
    return changed;
  }

  async #runSingle(row: Row<C>): Promise<number> {
    const given = this.#columns.filter(([name]) => row[name] !== null);
    const names = given.map(([name]) => name);
    const key = names.join();
    let statement = this.#single.get(key);
    if (statement === undefined) {
      const types = new Map(given);
      statement = await this.#connection.prepare(
        this.#sql.single((name) => (types.has(name) ? `$${names.indexOf(name) + 1}::${types.get(name)}` : 'NULL')),
      );
      this.#single.set(key, statement);
    }
    for (const [index, [name, type]] of given.entries()) bind(statement, index + 1, type, row[name] ?? '');
    return (await statement.run()).rowsChanged;
  }
}

/** Bound as text, a UUID makes DuckDB plan the statement anew each time. */
export function uuidValue(uuid: string): DuckDBUUIDValue {
  return DuckDBUUIDValue.fromUint128(BigInt(`0x${uuid.replaceAll('-', '')}`));
}

/** A SELECT of the rows in parameter 1, a JSON array of objects; refuses what does not fit its column. */
export function rowsFromJson(columns: Columns): string {
  return `SELECT unnest(json_transform_strict($1::VARCHAR, '${JSON.stringify([columns])}'), recursive := true)`;
}

const ofNext = (column: string) => `next.${column}`;

function bind(statement: DuckDBPreparedStatement, index: number, type: ColumnType, value: string | number): void {
  switch (type) {
    case 'UUID':
      statement.bindUUID(index, uuidValue(String(value)));
      break;
    case 'VARCHAR':
      statement.bindVarchar(index, String(value));
      break;
    case 'INTEGER':
      statement.bindInteger(index, Number(value));
      break;
    case 'BIGINT':
      statement.bindBigInt(index, BigInt(value));
      break;
    case 'TIMESTAMP':
      statement.bindTimestamp(index, new DuckDBTimestampValue(BigInt(Date.parse(String(value))) * 1000n));
      break;
  }
}
