import { DuckDBTimestampValue, DuckDBUUIDValue } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import type { Columns, ColumnType, Row } from './rows.ts';

/** Up to so many rows a statement each is cheaper than one statement that has to take JSON apart (1.0 against 2.1 ms of CPU). */
const MAX_SINGLE_ROWS = 2;

/**
 * One statement over many rows, prepared twice: for a single row with native parameters, and for any number of rows
 * that come as one JSON array. What costs time in DuckDB is the statement, not the row.
 */
export class TableStatement<C extends Columns> {
  readonly #columns: readonly (readonly [string, ColumnType])[];
  readonly #single: DuckDBPreparedStatement;
  readonly #many: DuckDBPreparedStatement;

  private constructor(columns: C, single: DuckDBPreparedStatement, many: DuckDBPreparedStatement) {
    this.#columns = Object.entries(columns);
    this.#single = single;
    this.#many = many;
  }

  static async insert<C extends Columns>(connection: DuckDBConnection, table: string, columns: C) {
    const names = Object.keys(columns);
    return new TableStatement(
      columns,
      await connection.prepare(
        `INSERT INTO ${table} (${names.join()}) VALUES (${names.map((_, i) => `$${i + 1}`).join()})`,
      ),
      await connection.prepare(`INSERT INTO ${table} (${names.join()}) ${selectFromJson(columns)}`),
    );
  }

  /**
   * Sets `columns` where `job_id` is the row's and the stored revision is the one before the row's.
   * `run` gives the ids of the rows that were changed.
   */
  static async update<C extends Columns>(connection: DuckDBConnection, table: string, columns: C) {
    const given = { job_id: 'UUID', ...columns } as const;
    const names = Object.keys(given);
    const changed = Object.keys(columns);
    const parameter = (name: string) => `$${names.indexOf(name) + 1}`;
    return new TableStatement<{ readonly job_id: 'UUID' } & C>(
      given,
      await connection.prepare(
        `UPDATE ${table} SET ${changed.map((name) => `${name} = ${parameter(name)}`).join()}
         WHERE job_id = ${parameter('job_id')} AND revision = ${parameter('revision')} - 1 RETURNING job_id`,
      ),
      await connection.prepare(
        `UPDATE ${table} SET ${changed.map((name) => `${name} = next.${name}`).join()}
         FROM (${selectFromJson(given)}) next
         WHERE ${table}.job_id = next.job_id AND ${table}.revision = next.revision - 1 RETURNING ${table}.job_id`,
      ),
    );
  }

  /** The first column of what the statement returned, as text. */
  async run(rows: readonly Row<C>[]): Promise<string[]> {
    if (rows.length > MAX_SINGLE_ROWS) {
      this.#many.bindVarchar(1, JSON.stringify(rows));
      return firstColumn(this.#many);
    }
    const returned: string[] = [];
    for (const row of rows) {
      for (const [index, [name, type]] of this.#columns.entries())
        bind(this.#single, index + 1, type, row[name] ?? null);
      returned.push(...(await firstColumn(this.#single)));
    }
    return returned;
  }

  /** A prepared statement keeps the database open. */
  close(): void {
    this.#single.destroySync();
    this.#many.destroySync();
  }
}

function selectFromJson(columns: Columns): string {
  return `SELECT unnest(from_json($1, '${JSON.stringify([columns])}'), recursive := true)`;
}

async function firstColumn(statement: DuckDBPreparedStatement): Promise<string[]> {
  const result = await statement.runAndReadAll();
  return result.getRows().map(([value]) => String(value));
}

function bind(
  statement: DuckDBPreparedStatement,
  index: number,
  type: ColumnType,
  value: string | number | null,
): void {
  if (value === null) {
    statement.bindNull(index);
    return;
  }
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

/** Bound as text, a UUID makes DuckDB plan the statement anew each time. */
export function uuidValue(uuid: string): DuckDBUUIDValue {
  return DuckDBUUIDValue.fromUint128(BigInt(`0x${uuid.replaceAll('-', '')}`));
}
