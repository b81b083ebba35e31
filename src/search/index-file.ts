import { rm } from 'node:fs/promises';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { messageOf } from '../errors.ts';
import { FOLDED_MACRO, INDEX_VERSION, TABLES } from './schema.ts';

/** Memory of the index; more goes to temporary files. */
const MEMORY = '256MiB';
/** Minimum number of rows read by a lookup: the least that DuckDB allows. */
const ROW_GROUP_SIZE = 2_048;

/** DuckDB's messages about a usable file that this process cannot open now. */
const NOT_NOW = /Could not set lock|Permission denied|Too many open files|Cannot allocate memory|No space left/;

/** The index, opened by the owner of its folder. No statement may be in flight when `close` is called. */
export class IndexFile {
  readonly #instance: DuckDBInstance;
  readonly #connections: DuckDBConnection[] = [];

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /** Opens the index, or a new one if it is missing, damaged or of another version. */
  static async open(path: string): Promise<IndexFile> {
    await rm(temporaryFolder(path), { recursive: true, force: true });
    try {
      return await IndexFile.openPresent(path);
    } catch (error) {
      if (NOT_NOW.test(messageOf(error))) throw error;
      await deleteIndex(path);
      return IndexFile.openPresent(path);
    }
  }

  /** Opens an index that is there. @param readOnly changes nothing */
  static async openPresent(path: string, { readOnly = false } = {}): Promise<IndexFile> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1', // a search beside others must leave the other cores alone
      memory_limit: MEMORY,
      temp_directory: temporaryFolder(path),
      preserve_insertion_order: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const file = new IndexFile(instance);
    try {
      const connection = await instance.connect();
      file.#connections.push(connection);
      const options = readOnly ? 'READ_ONLY' : `ROW_GROUP_SIZE ${ROW_GROUP_SIZE}`;
      await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS search_index (${options})`);
      await connection.run('USE search_index');
      await requireTables(connection);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  async connect(): Promise<DuckDBConnection> {
    const connection = await this.#instance.connect();
    this.#connections.push(connection);
    await connection.run('USE search_index');
    await connection.run(FOLDED_MACRO);
    return connection;
  }

  close(): void {
    for (const connection of this.#connections) connection.closeSync();
    this.#instance.closeSync();
  }
}

/** Creates the tables in a new file. Rejects if the file has those of another version. */
async function requireTables(connection: DuckDBConnection): Promise<void> {
  const tables = await connection.runAndReadAll(
    "SELECT count(*)::INTEGER FROM duckdb_tables() WHERE database_name = 'search_index'",
  );
  if (tables.getRowsJS()[0]?.[0] === 0) {
    await connection.run(['BEGIN', ...TABLES, 'COMMIT'].join(';'));
    return;
  }
  const about = await connection.runAndReadAll('SELECT version FROM about');
  const version = Number(about.getRowsJS()[0]?.[0]);
  if (version !== INDEX_VERSION) throw new Error(`version ${version} of the index is not ${INDEX_VERSION}`);
}

/** Videos in an index that no process has open. Rejects when it cannot be used; changes nothing. */
export async function countVideos(path: string): Promise<number> {
  const file = await IndexFile.openPresent(path, { readOnly: true });
  try {
    const connection = await file.connect();
    return Number((await connection.runAndReadAll('SELECT count(*) FROM videos')).getRowsJS()[0]?.[0]);
  } finally {
    file.close();
  }
}

function temporaryFolder(path: string): string {
  return `${path}.tmp`;
}

/** Deletes the index, which no process may have open. */
export async function deleteIndex(path: string): Promise<void> {
  for (const file of [`${path}.wal`, path, temporaryFolder(path)]) await rm(file, { recursive: true, force: true });
}
