import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** One file, opened by one process. Close every connection's statements before `close`, and let none be in flight. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #connections: DuckDBConnection[] = [];

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  static async open(path: string): Promise<Database> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1', // two are slower: these statements are too short to share
      // Checkpoints are asked for between commits: inside one, a full disk would leave open whether it was committed.
      checkpoint_threshold: '1TB',
    });
    const database = new Database(instance);
    try {
      const connection = await instance.connect();
      await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS store (ROW_GROUP_SIZE 16384)`);
      connection.closeSync();
      return database;
    } catch (error) {
      database.close();
      throw error;
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
