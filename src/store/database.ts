import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { ServiceError, messageOf } from '../errors.ts';

const INVALIDATED = /FATAL Error|database has been invalidated/;

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
        ...(messageOf(cause).includes('Could not set lock') ? { hint: 'Stop that process first' } : {}),
      });
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
  return messagesOf(error).some((message) => INVALIDATED.test(message));
}

/** The messages of an error and of its causes. */
export function messagesOf(error: unknown): readonly string[] {
  return error instanceof Error ? [error.message, ...messagesOf(error.cause)] : [];
}
