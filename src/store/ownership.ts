import { randomUUID } from 'node:crypto';
import { access, link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ServiceError, messageOf } from '../errors.ts';

/** An empty DuckDB database that the owner of the folder keeps open. */
const LOCK_FILE = 'owner.lock';

/**
 * The exclusive right to change a data folder. Nothing in the folder is touched without it.
 * It is the lock that DuckDB takes on an open file. The kernel releases it when the process ends in any way, so it is
 * never stale. Node.js has no such lock. The lock of the database itself is not enough, because it is released while a
 * damaged database is set aside or an invalid one is opened again.
 */
export class Ownership {
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /**
   * Rejects with `store_unavailable`, which names the owner, if another process has the folder.
   * @param folder must exist
   */
  static async acquire(folder: string): Promise<Ownership> {
    const path = join(folder, LOCK_FILE);
    try {
      await makeLockFile(path);
      return new Ownership(await DuckDBInstance.create(path, { threads: '1' }));
    } catch (cause) {
      const reason = messageOf(cause);
      if (!reason.includes('Could not set lock')) {
        throw new ServiceError('store_unavailable', `cannot lock the data folder with ${path}: ${reason}`, { cause });
      }
      throw new ServiceError('store_unavailable', `${ownerIn(reason)} has the data folder ${folder}`, {
        cause,
        hint: 'Stop it first, or set DATA_DIR to another folder; nothing was changed',
      });
    }
  }

  release(): void {
    this.#instance.closeSync();
  }
}

/** Returns the lock holder named in a DuckDB message. */
function ownerIn(reason: string): string {
  // A process of another container has no process id here.
  const pid = Number(/\(PID (\d+)\)/.exec(reason)?.[1] ?? 0);
  return pid > 0 ? `another process (PID ${pid})` : 'another process';
}

/** The file is complete under its name even if this process, or another one that starts, is killed. */
async function makeLockFile(path: string): Promise<void> {
  // Not opened for reading, because closing it would release a lock of this process.
  if (await isThere(path)) return;
  const draft = `${path}.${randomUUID()}`;
  try {
    (await DuckDBInstance.create(draft, { threads: '1' })).closeSync();
    const file = await open(draft);
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
