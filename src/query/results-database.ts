import { mkdtemp, mkdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { ServiceError } from '../errors.ts';
import { viewStatements } from './views.ts';

/** Memory of one query; more is written to temporary files. */
const MEMORY = '1GiB';

export interface ResultsDatabaseOptions {
  /** The service's `DATA_DIR`. */
  readonly dataDir: string;
  /** The only file that may be written. */
  readonly exportPath?: string | undefined;
  /** Interrupts the running statement and every later one. */
  readonly signal: AbortSignal;
}

/** Milliseconds between interrupts: one that falls between two statements is lost, so it is repeated. */
const INTERRUPT_MS = 20;

/**
 * An in-memory database with views of the files of a data folder. It can open no other file, and its settings are locked.
 * It writes nothing in the data folder and does not open the service's database.
 */
export class ResultsDatabase implements AsyncDisposable {
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  #interrupting: ReturnType<typeof setInterval> | undefined;

  private constructor(folder: string, instance: DuckDBInstance, connection: DuckDBConnection, signal: AbortSignal) {
    this.#folder = folder;
    this.#instance = instance;
    this.connection = connection;
    this.#signal = signal;
  }

  /** @throws ServiceError `file_missing` when there is no such folder */
  static async open({ dataDir, exportPath, signal }: ResultsDatabaseOptions): Promise<ResultsDatabase> {
    signal.throwIfAborted();
    if (!(await isFolder(dataDir))) {
      throw new ServiceError('file_missing', `There is no data folder ${resolve(dataDir)}`);
    }
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'reelstate-query-')));
    try {
      await writeFile(join(folder, 'none'), '');
      // Through a link, because the path may contain characters that have a meaning in a glob pattern.
      const jobs = resolve(dataDir, 'video_jobs');
      const link = join(folder, 'video_jobs');
      await ((await isFolder(jobs)) ? symlink(jobs, link) : mkdir(link));
      return await ResultsDatabase.#openIn(folder, {
        directories: [folder, await realpath(link)],
        paths: exportPath === undefined ? [] : [exportPath],
        signal,
      });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** DuckDB resolves links before it checks a path, so the allowed folders are real paths. */
  static async #openIn(
    folder: string,
    {
      directories,
      paths,
      signal,
    }: {
      readonly directories: readonly string[];
      readonly paths: readonly string[];
      readonly signal: AbortSignal;
    },
  ): Promise<ResultsDatabase> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY,
      temp_directory: join(folder, 'spilled'),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      allow_persistent_secrets: 'false',
    });
    const connection = await instance.connect();
    const database = new ResultsDatabase(folder, instance, connection, signal);
    signal.addEventListener('abort', database.#interrupt);
    try {
      // It may have been aborted before the listener was added.
      signal.throwIfAborted();
      for (const statement of [
        `SET TimeZone = 'UTC'`,
        `SET allowed_directories = [${directories.map(quoted).join()}]`,
        `SET allowed_paths = [${paths.map(quoted).join()}]`,
        'SET enable_external_access = false',
        'SET lock_configuration = true',
        ...viewStatements(folder.replaceAll("'", "''")),
      ]) {
        await connection.run(statement);
      }
      return database;
    } catch (error) {
      database.#close();
      signal.throwIfAborted();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Path of a file for the answer to one query. Deleted with the database. */
  get answerPath(): string {
    return join(this.#folder, 'answer');
  }

  readonly #interrupt = (): void => {
    this.#interrupting = setInterval(() => this.connection.interrupt(), INTERRUPT_MS);
  };

  #close(): void {
    this.#signal.removeEventListener('abort', this.#interrupt);
    clearInterval(this.#interrupting);
    this.connection.closeSync();
    this.#instance.closeSync();
  }
}

/** Returns the text as an SQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
