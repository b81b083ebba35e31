import { randomUUID } from 'node:crypto';
import { access, link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ServiceError, messageOf } from '../errors.ts';

/** An empty DuckDB database that the owner of the folder keeps open. */
const LOCK_FILE = 'owner.lock';

/**
 * The right to change a data folder; one process has it at a time, and nothing in the folder is touched without it.
 *
 * It is the lock that DuckDB takes on a file it has open: the kernel's, so it ends with the process however that ends, and
 * nothing stale is ever left. Node.js offers no such lock itself. The database's own lock does not do: it is given back
 * while a damaged database is set aside or an invalid one is opened anew.
 */
export class Ownership {
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /** @param folder exists. Rejects with `store_unavailable`, which names the owner, when another process has it. */
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

/** Who holds the lock that a message of DuckDB speaks of. */
function ownerIn(reason: string): string {
  // A process of another container has no number here.
  const pid = Number(/\(PID (\d+)\)/.exec(reason)?.[1] ?? 0);
  return pid > 0 ? `another process (PID ${pid})` : 'another process';
}

/** Under its name it is whole from the beginning, whenever this process or another one that starts is killed. */
async function makeLockFile(path: string): Promise<void> {
  // Not opened to look: closing it would give back a lock that this process has.
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
