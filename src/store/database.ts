import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { ServiceError, messageOf } from '../errors.ts';

const INVALIDATED = /FATAL Error|database has been invalidated/;

/**
 * One file, opened once. A process must not open it twice, because DuckDB's lock only excludes other processes. No
 * statement may be in flight when `close` is called.
 */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #connections: DuckDBConnection[] = [];

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /**
   * Opens or creates the file; `readOnly` changes nothing. Rejects with `store_unavailable` if another process has it
   * open or it is damaged.
   */
  static async open(path: string, { readOnly = false } = {}): Promise<Database> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1', // two are slower: these statements are too short to share
      // Checkpoints run apart from commits. A failed checkpoint inside a commit leaves unclear what was committed.
      checkpoint_threshold: '1TB',
    });
    const database = new Database(instance);
    try {
      const connection = await instance.connect();
      database.#connections.push(connection);
      // Without an index, a lookup reads the row groups whose id range matches. Groups of 16,384 instead of 122,880
      // rows make it four times as fast at a million rows; smaller ones slow down checkpoints. Compressed ids take 0.8
      // ms to unpack per row group, uncompressed ones a tenth of that; a million jobs then take 300 MB instead of 200.
      // DuckDB ignores this setting silently when it is given with the settings above.
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

/** Returns true if DuckDB rejects everything until the file is opened again, as after a checkpoint on a full disk. */
export function isInvalidated(error: unknown): boolean {
  return messagesOf(error).some((message) => INVALIDATED.test(message));
}

/** Returns the messages of an error and of its causes. */
export function messagesOf(error: unknown): readonly string[] {
  return error instanceof Error ? [error.message, ...messagesOf(error.cause)] : [];
}
