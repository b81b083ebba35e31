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
  /** Called for rows that are omitted from a page. */
  readonly onUnreadable?: UnreadableListener;
}

/** One opening of the file with its prepared statements. It can become invalid and is then opened again. */
export class Session {
  readonly writer: JobWriter;
  /** Connection for single jobs, which must not wait for a page. */
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

  /** Opens the file for its owner at a start. Damaged parts are set aside, readable ones kept. */
  static async openRepaired(
    path: string,
    { thorough = false, onUnreadable }: SessionOptions & { readonly thorough?: boolean | undefined } = {},
  ): Promise<Session> {
    const file = await behindLinks(path);
    try {
      return await Session.#prepare(file, await openRepaired(file, { thorough }), onUnreadable);
    } catch (error) {
      // Damage that a quick check does not find.
      if (thorough || damagedPartIn(error) === undefined) throw error;
      return Session.#prepare(file, await openRepaired(file, { thorough: true }), onUnreadable);
    }
  }

  /** Opens the file again while the service runs. Rejects on damage and changes nothing. */
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

  /** True if the session can no longer be used. */
  get invalid(): boolean {
    return this.#invalid || this.#closed;
  }

  /** Runs `work`; `close` waits for it. */
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

  /** Reads every row in the background. Rejects with DuckDB's error at a damaged block. */
  async readAllRows(signal: AbortSignal): Promise<void> {
    const connection = await this.#database.connect();
    await this.use(() => readAllRows(connection, signal));
  }

  /** Makes the next start repair the database even if it finds no damage. */
  markForRepair(reason: string): Promise<void> {
    return markForRepair(this.#path, reason);
  }

  removeRepairMark(): Promise<void> {
    return removeRepairMark(this.#path);
  }

  /** Returns the bytes of the log, which must be replayed at open after an unclean end. */
  async logBytes(): Promise<number> {
    return (await stat(`${this.#path}.wal`).catch(() => undefined))?.size ?? 0;
  }

  /**
   * Writes the log into the database. Reads continue; writes wait. Returns false and does nothing if the disk has no
   * space for both files again, because a checkpoint that runs out of space makes the session invalid.
   */
  async checkpoint(): Promise<boolean> {
    const { bavail, bsize } = await statfs(dirname(this.#path));
    if (bavail * bsize < (await stat(this.#path)).size + (await this.logBytes())) return false;
    await this.use(() => this.#maintenance.run('CHECKPOINT'));
    return true;
  }

  /** Runs beside the writer's transactions, which only add rows to this table, so they never conflict. */
  async forgetSubmissions(before: string): Promise<void> {
    await this.#maintenance.run('DELETE FROM idempotency_keys WHERE created_at < $1::TIMESTAMP', [
      before.replace('Z', ''),
    ]);
  }

  /** Waits for running statements, because closing under one hangs the process. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#inFlight);
    this.#database.close();
  }
}

/**
 * Returns the path of the file itself, also of one that does not exist yet. DuckDB keeps the log beside the target of a
 * link once it exists, but beside the link before that; the next opening would not find that log.
 */
async function behindLinks(path: string): Promise<string> {
  const found = await realpath(path).catch((error: unknown) => (isCircle(error) ? path : undefined));
  if (found !== undefined) return found;
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) return path;
  return behindLinks(resolve(await realpath(dirname(path)), target));
}

/** A cycle of links; DuckDB reports it at open. */
function isCircle(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ELOOP';
}
