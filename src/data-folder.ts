import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Closers } from './closers.ts';
import type { Log } from './log.ts';
import { makeFolder } from './storage/durable-file.ts';
import { LocalStorageService } from './storage/local.ts';
import { DuckDBJobStore, type DuckDBJobStoreOptions } from './store/duckdb.ts';
import { Ownership } from './store/ownership.ts';

export interface DataFolderOptions {
  /** Absolute path; created if missing. */
  readonly path: string;
  readonly log: Log;
  readonly onCommit?: NonNullable<DuckDBJobStoreOptions['onCommit']>;
  /** See `DuckDBJobStoreOptions`. */
  readonly thorough?: boolean;
}

/** No permissions for group and others. */
const PRIVATE_UMASK = 0o077;
const DATABASE = 'jobs.duckdb';
const SEARCH_INDEX = 'search.duckdb';
/** Folders that earlier releases created under the umask of their process. */
const OWN_FOLDERS = ['video_jobs', 'video_jobs/incoming', 'video_jobs/quarantine'];

/**
 * Creates the folder if it is missing and locks it. From then on every file of the process is private, also DuckDB's,
 * and existing files of the service become private. The folder itself keeps its permissions.
 */
export async function ownDataFolder(path: string, log: Pick<Log, 'warn'>): Promise<Ownership> {
  process.umask(PRIVATE_UMASK);
  await makeFolder(path);
  const ownership = await Ownership.acquire(path);
  try {
    const databases = (await readdir(path)).filter((name) => name.startsWith(DATABASE));
    for (const name of [...databases, ...OWN_FOLDERS]) await narrow(join(path, name), log);
    return ownership;
  } catch (error) {
    ownership.release();
    throw error;
  }
}

/** Best effort: a file of another user stays unchanged. */
async function narrow(path: string, log: Pick<Log, 'warn'>): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.mode & PRIVATE_UMASK) === 0) return;
  await chmod(path, found.mode & ~PRIVATE_UMASK).catch((error: unknown) => {
    log.warn({ err: error }, 'others on this machine can read or enter this path, and it cannot be changed');
  });
}

/** The database and the files of a service, opened by the owner of the folder. */
export class DataFolder implements AsyncDisposable {
  readonly store: DuckDBJobStore;
  readonly storage: LocalStorageService;
  /** Path of the search index, which is opened separately. */
  readonly searchIndexPath: string;
  readonly #closers: Closers;

  private constructor(parts: Pick<DataFolder, 'store' | 'storage' | 'searchIndexPath'>, closers: Closers) {
    this.store = parts.store;
    this.storage = parts.storage;
    this.searchIndexPath = parts.searchIndexPath;
    this.#closers = closers;
  }

  /**
   * Locks the folder, then opens its content. Rejects with `store_unavailable` and changes nothing if another process
   * has it.
   */
  static async open({ path, log, ...options }: DataFolderOptions): Promise<DataFolder> {
    const closers = new Closers();
    try {
      const ownership = await ownDataFolder(path, log);
      closers.push(() => ownership.release());
      const store = await DuckDBJobStore.open({
        path: join(path, DATABASE),
        log,
        ...options,
      });
      closers.push(() => store.close());
      const storage = await LocalStorageService.open({ baseDir: join(path, 'video_jobs') });
      return new DataFolder({ store, storage, searchIndexPath: join(path, SEARCH_INDEX) }, closers);
    } catch (error) {
      // Report the first error.
      await closers.close().catch(() => undefined);
      throw error;
    }
  }

  /** Closes the database, then releases the folder. May be called twice. */
  close(): Promise<void> {
    return this.#closers.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
