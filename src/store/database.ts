import { rename, readFile, rm, writeFile } from 'node:fs/promises';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { ServiceError, messageOf } from '../errors.ts';

/** What DuckDB says of a file that it can read but not believe. A locked or unreadable file is not damaged. */
const DAMAGED_WAL = /while replaying WAL file/;
const DAMAGED_DATABASE = /Corrupt database file|not a valid DuckDB database file|Could not read enough bytes from file/;
/** The position is that of the entry's data; its size and checksum stand before it, 8 bytes each. */
const DAMAGED_ENTRY = /entry at byte position (\d+)/;
const ENTRY_HEADER_BYTES = 16;
const INVALIDATED = /FATAL Error|database has been invalidated/;

/** What was found damaged at open. */
export interface Damage {
  /** Paths under which the files now lie, whole, as they were found. */
  readonly setAside: readonly string[];
  /** What is missing now: the commits from the first damaged entry of the log on, all of the log, or everything. */
  readonly lost: 'end_of_log' | 'log' | 'database';
}

/**
 * One file, opened once. A process must not open it twice: DuckDB's lock keeps out other processes only.
 * Before `close` no statement may be in flight.
 */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #connections: DuckDBConnection[] = [];

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /**
   * Opens or makes the file; `readOnly` changes and makes nothing. `store_unavailable` when another process has it, or
   * when it is damaged.
   */
  static async open(path: string, { readOnly = false } = {}): Promise<Database> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1', // two are slower: these statements are too short to share
      // Checkpoints are asked for apart from commits. One inside a commit that fails leaves open what was committed.
      checkpoint_threshold: '1TB',
    });
    const database = new Database(instance);
    try {
      const connection = await instance.connect();
      database.#connections.push(connection);
      // Without an index a row is found by reading the row groups whose range of ids holds it: 16,384 rows instead of
      // 122,880 make that four times as fast at a million rows; still smaller ones slow the checkpoints.
      // DuckDB's packed ids take 0.8 ms to unpack for each row group that a look-up reads, unpacked ones a tenth of it.
      // A million jobs take 300 MB instead of 200. Given with the settings above it would be passed over in silence.
      await connection.run("SET disabled_compression_methods = 'bitpacking'");
      const options = readOnly ? 'READ_ONLY' : 'ROW_GROUP_SIZE 16384';
      await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS store (${options})`);
      return database;
    } catch (cause) {
      database.close();
      throw new ServiceError('store_unavailable', `cannot open ${path}: ${messageOf(cause)}`, {
        cause,
        retryable: true,
      });
    }
  }

  /**
   * As `open`; damaged files are set aside as `….damaged-<time>`, never changed or deleted, and the rest is opened:
   * the database with its log up to the first damaged entry, without its log, or a new database.
   */
  static async openDamaged(
    path: string,
  ): Promise<{ readonly database: Database; readonly damage: Damage | undefined }> {
    const wal = `${path}.wal`;
    const suffix = `.damaged-${new Date().toISOString().replaceAll(':', '')}`;
    const setAside: string[] = [];
    let damage: Damage | undefined;
    for (;;) {
      try {
        return { database: await Database.open(path), damage };
      } catch (error) {
        const reason = messageOf(error);
        const log = DAMAGED_WAL.test(reason);
        if (!log && !DAMAGED_DATABASE.test(reason)) throw error;
        if (damage?.lost === 'database' || (log && damage?.lost === 'log')) throw error;
        if (damage === undefined) await moveIfThere(wal, `${wal}${suffix}`, setAside);
        else await rm(wal, { force: true }); // what was kept of the log
        const soundBytes = Number(DAMAGED_ENTRY.exec(reason)?.[1] ?? 0) - ENTRY_HEADER_BYTES;
        if (log && damage === undefined && soundBytes > 0) {
          const whole = await readFile(`${wal}${suffix}`);
          await writeFile(wal, whole.subarray(0, soundBytes), { flush: true });
          damage = { setAside, lost: 'end_of_log' };
        } else if (log) {
          damage = { setAside, lost: 'log' };
        } else {
          await moveIfThere(path, `${path}${suffix}`, setAside);
          damage = { setAside, lost: 'database' };
        }
      }
    }
  }

  async connect(): Promise<DuckDBConnection> {
    const connection = await this.#instance.connect();
    this.#connections.push(connection);
    await connection.run('USE store');
    return connection;
  }

  close(): void {
    for (const connection of this.#connections) connection.closeSync();
    this.#instance.closeSync();
  }
}

/** True when DuckDB refuses everything from now on until the file is opened anew, as after a checkpoint on a full disk. */
export function isInvalidated(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (INVALIDATED.test(cause.message)) return true;
  }
  return false;
}

async function moveIfThere(from: string, to: string, moved: string[]): Promise<void> {
  try {
    await rename(from, to);
    moved.push(to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
