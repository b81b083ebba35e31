import { readlink, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { damagedPartIn, type Damage } from './damage.ts';
import { Database, isInvalidated } from './database.ts';
import { JobReader, type UnreadableListener } from './job-reader.ts';
import { JobWriter } from './job-writer.ts';
import { migrateUp } from './migrate.ts';
import { markForRepair, removeRepairMark } from './repair-mark.ts';
import { openRepaired, type OpenedDatabase } from './repair.ts';
import { readAllRows } from './row-ranges.ts';

interface SessionOptions {
  /** Told of rows that are left out of a page. */
  readonly onUnreadable?: UnreadableListener;
}

/** One opening of the file, with the statements prepared on it. It can become invalid, and is then opened anew. */
export class Session {
  readonly writer: JobWriter;
  /** Reads of single jobs, which must not wait for a page. */
  readonly lookups: JobReader;
  readonly reader: JobReader;
  readonly damage: Damage | undefined;
  readonly #path: string;
  readonly #database: Database;
  readonly #maintenance: DuckDBConnection;
  readonly #inFlight = new Set<Promise<unknown>>();
  #invalid = false;
  #closed = false;

  private constructor(
    path: string,
    opened: OpenedDatabase,
    statements: Pick<Session, 'writer' | 'lookups' | 'reader'> & { readonly maintenance: DuckDBConnection },
  ) {
    this.#path = path;
    this.#database = opened.database;
    this.damage = opened.damage;
    this.writer = statements.writer;
    this.lookups = statements.lookups;
    this.reader = statements.reader;
    this.#maintenance = statements.maintenance;
  }

  /** Opens the file for its owner, at a start: what is damaged is set aside, and what can be read is kept. */
  static async openRepaired(
    path: string,
    { thorough = false, onUnreadable }: SessionOptions & { readonly thorough?: boolean | undefined } = {},
  ): Promise<Session> {
    const file = await behindLinks(path);
    try {
      return await Session.#prepare(file, await openRepaired(file, { thorough }), onUnreadable);
    } catch (error) {
      // Damage where a quick look does not reach.
      if (thorough || damagedPartIn(error) === undefined) throw error;
      return Session.#prepare(file, await openRepaired(file, { thorough: true }), onUnreadable);
    }
  }

  /** Opens the file again, while the service runs: what is damaged is left as it is, and rejects. */
  static async open(path: string, { onUnreadable }: SessionOptions = {}): Promise<Session> {
    const file = await behindLinks(path);
    return Session.#prepare(file, { database: await Database.open(file), damage: undefined }, onUnreadable);
  }

  static async #prepare(
    file: string,
    opened: OpenedDatabase,
    onUnreadable: UnreadableListener | undefined,
  ): Promise<Session> {
    const { database } = opened;
    try {
      const maintenance = await database.connect();
      await migrateUp(maintenance);
      return new Session(file, opened, {
        maintenance,
        writer: await JobWriter.open(await database.connect()),
        lookups: await JobReader.open(await database.connect()),
        reader: await JobReader.open(await database.connect(), onUnreadable),
      });
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** True once nothing works here any more. */
  get invalid(): boolean {
    return this.#invalid || this.#closed;
  }

  /** Runs `work` and keeps `close` waiting for it. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#inFlight.add(running);
    try {
      return await running;
    } catch (error) {
      this.#invalid ||= isInvalidated(error);
      throw error;
    } finally {
      this.#inFlight.delete(running);
    }
  }

  /** Reads every row in the background; rejects with DuckDB's error when a block is damaged. */
  async readAllRows(signal: AbortSignal): Promise<void> {
    const connection = await this.#database.connect();
    await this.use(() => readAllRows(connection, signal));
  }

  /** Makes the next start repair the database, even if it would find no damage. */
  markForRepair(reason: string): Promise<void> {
    return markForRepair(this.#path, reason);
  }

  removeRepairMark(): Promise<void> {
    return removeRepairMark(this.#path);
  }

  /** Bytes of the log, which has to be replayed when the file is opened without a clean close. */
  async logBytes(): Promise<number> {
    return (await stat(`${this.#path}.wal`).catch(() => undefined))?.size ?? 0;
  }

  /**
   * Writes the log into the database. Readers go on; writes wait. False, and nothing done, when the disk has no room
   * for both files again: a checkpoint that runs out of room makes the session invalid.
   */
  async checkpoint(): Promise<boolean> {
    const { bavail, bsize } = await statfs(dirname(this.#path));
    if (bavail * bsize < (await stat(this.#path)).size + (await this.logBytes())) return false;
    await this.use(() => this.#maintenance.run('CHECKPOINT'));
    return true;
  }

  /** Beside the writer's transactions, which only add rows to this table: the two never meet in one row. */
  async forgetSubmissions(before: string): Promise<void> {
    await this.#maintenance.run('DELETE FROM idempotency_keys WHERE created_at < $1::TIMESTAMP', [
      before.replace('Z', ''),
    ]);
  }

  /** Waits for what is in flight: closing under a running statement hangs the process. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#inFlight);
    this.#database.close();
  }
}

/**
 * The path of the file itself, also of one that is yet to be made. DuckDB keeps the log beside a file that is there,
 * wherever a link to it lies, but beside the link while it is not: the next opening would not find that log.
 */
async function behindLinks(path: string): Promise<string> {
  const found = await realpath(path).catch((error: unknown) => (isCircle(error) ? path : undefined));
  if (found !== undefined) return found;
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) return path;
  return behindLinks(resolve(await realpath(dirname(path)), target));
}

/** Links that lead to each other have no end; the database says so when it opens them. */
function isCircle(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ELOOP';
}
