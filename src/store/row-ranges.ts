import { setTimeout as delay } from 'node:timers/promises';
import type { DuckDBConnection } from '@duckdb/node-api';

/** Rows that DuckDB stores together (`ROW_GROUP_SIZE`): at most some 5 MB, read in 20 to 70 ms. */
const ROWS_AT_ONCE = 16_384;
const RANGES_BETWEEN_EVICTIONS = 4;
/** Memory left for statements that run beside the eviction. */
const KEPT_IN_MEMORY = '128MB';

export interface RowRange {
  readonly table: string;
  readonly from: number;
  readonly to: number;
}

/** Every row of the growing tables, in ranges that are read without touching other blocks. */
export async function rowRanges(connection: DuckDBConnection, database = 'store'): Promise<readonly RowRange[]> {
  const tables = await connection.runAndReadAll(
    `SELECT table_name FROM duckdb_tables() WHERE database_name = $1 AND table_name <> 'schema_migrations' ORDER BY table_name`,
    [database],
  );
  const ranges: RowRange[] = [];
  for (const [table] of tables.getRows().map(([name]) => [String(name)] as const)) {
    const last = await connection.runAndReadAll(`SELECT coalesce(max(rowid), -1) FROM ${database}.${table}`);
    const end = Number(last.getRows()[0]?.[0]) + 1;
    for (let from = 0; from < end; from += ROWS_AT_ONCE) ranges.push({ table, from, to: from + ROWS_AT_ONCE });
  }
  return ranges;
}

/**
 * Reads all columns of all rows, so that DuckDB verifies the checksum of every block. Rejects with its error at the
 * first damaged block. Memory is bounded, because read blocks are evicted. Uses half of the time.
 */
export async function readAllRows(connection: DuckDBConnection, signal?: AbortSignal): Promise<void> {
  for (const [at, { table, from, to }] of (await rowRanges(connection)).entries()) {
    const begunMs = performance.now();
    await connection.run(`SELECT bit_xor(hash(t)) FROM store.${table} t WHERE rowid >= ${from} AND rowid < ${to}`);
    if (at % RANGES_BETWEEN_EVICTIONS === RANGES_BETWEEN_EVICTIONS - 1) await evict(connection);
    if (signal === undefined) continue;
    await delay(performance.now() - begunMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
  await evict(connection);
}

/** Evicts cached blocks, which DuckDB would keep up to four fifths of the memory of the machine. */
async function evict(connection: DuckDBConnection): Promise<void> {
  // Rejected while more memory is in use; then there is nothing to evict.
  await connection.run(`SET memory_limit = '${KEPT_IN_MEMORY}'`).catch(() => undefined);
  await connection.run('RESET memory_limit');
}
