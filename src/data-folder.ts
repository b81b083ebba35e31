import { join } from 'node:path';
import { Closers } from './closers.ts';
import type { Log } from './log.ts';
import { makeFolder } from './storage/durable-file.ts';
import { LocalStorageService } from './storage/local.ts';
import { DuckDBJobStore, type DuckDBJobStoreOptions } from './store/duckdb.ts';
import { Ownership } from './store/ownership.ts';

export interface DataFolderOptions {
  /** Absolute path; made where it is missing. */
  readonly path: string;
  readonly log: Log;
  readonly onCommit?: DuckDBJobStoreOptions['onCommit'];
}

/** What a service keeps on disk: the database and the files, opened by the owner of the folder. */
export class DataFolder implements AsyncDisposable {
  readonly store: DuckDBJobStore;
  readonly storage: LocalStorageService;
  readonly #closers: Closers;

  private constructor(parts: Pick<DataFolder, 'store' | 'storage'>, closers: Closers) {
    this.store = parts.store;
    this.storage = parts.storage;
    this.#closers = closers;
  }

  /**
   * Becomes the owner of the folder, then opens what is in it; nothing but the folder itself is made before.
   * Rejects with `store_unavailable`, and has changed nothing, when another process is the owner.
   */
  static async open({ path, log, onCommit }: DataFolderOptions): Promise<DataFolder> {
    const closers = new Closers();
    try {
      await makeFolder(path);
      const ownership = await Ownership.acquire(path);
      closers.push(() => ownership.release());
      const store = await DuckDBJobStore.open({
        path: join(path, 'jobs.duckdb'),
        log,
        ...(onCommit === undefined ? {} : { onCommit }),
      });
      closers.push(() => store.close());
      const storage = await LocalStorageService.open({ baseDir: join(path, 'video_jobs') });
      return new DataFolder({ store, storage }, closers);
    } catch (error) {
      await closers.close();
      throw error;
    }
  }

  /** Closes the database, then lets another process own the folder. May be called twice. */
  close(): Promise<void> {
    return this.#closers.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
