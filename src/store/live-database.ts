import { randomUUID } from 'node:crypto';
import type { Log } from '../log.ts';
import type { Damage } from './damage.ts';
import { DamageNotice } from './damage-notice.ts';
import type { UnreadableListener } from './job-reader.ts';
import type { JobWriter } from './job-writer.ts';
import { Session } from './session.ts';

/** Replay at open takes about 0.1 s per MiB. The cost of a checkpoint hardly depends on how much it writes. */
const CHECKPOINT_LOG_BYTES = 16 * 1024 ** 2;
/** Without writes, a smaller log is worth a checkpoint. */
const IDLE_CHECKPOINT_LOG_BYTES = 1024 ** 2;
const IDLE_MS = 1000;
/** Number of writes between checks of the log size: about 1 MiB of log. */
const WRITES_BETWEEN_LOOKS = 1000;

export interface LiveDatabaseOptions {
  /** The database file. Its folder must exist; the file need not. */
  readonly path: string;
  readonly log: Log;
  /** Reads every row at open, which takes some seconds for a million jobs. */
  readonly thorough?: boolean;
  /** Called for every commit with its duration and number of writes. */
  readonly onCommit?: (seconds: number, writes: number) => void;
}

/**
 * The database while the service runs. Serialises writes, writes checkpoints, opens the file again if it becomes
 * invalid, and notes damage. Rejects with DuckDB's errors.
 */
export class LiveDatabase {
  /** Damage that was set aside at open. */
  readonly damage: Damage | undefined;
  readonly notice: DamageNotice;
  readonly #path: string;
  readonly #log: Log;
  readonly #onCommit: LiveDatabaseOptions['onCommit'];
  readonly #opening = randomUUID();
  #changes = 0;
  #session: Session;
  #reopening: Promise<Session> | undefined;
  #checkpoint: Promise<void> | undefined;
  #writesSinceLook = 0;
  #lastWrite: Promise<unknown> = Promise.resolve();
  readonly #idleTimer: NodeJS.Timeout;
  #committing = false;
  #closed = false;

  private constructor({ path, log, onCommit }: LiveDatabaseOptions, session: Session) {
    this.#path = path;
    this.#log = log;
    this.#onCommit = onCommit;
    this.#session = session;
    this.damage = session.damage;
    this.notice = new DamageNotice(log);
    this.#idleTimer = setTimeout(() => this.#checkpointFrom(IDLE_CHECKPOINT_LOG_BYTES), IDLE_MS).unref();
  }

  static async open(options: LiveDatabaseOptions): Promise<LiveDatabase> {
    const { path, log, thorough } = options;
    const session = await Session.openRepaired(path, { thorough, onUnreadable: unreadableLog(log) });
    if (session.damage !== undefined) {
      log.error(session.damage, 'the database was damaged: what could not be read was set aside');
    }
    return new LiveDatabase(options, session);
  }

  /** Returns a value that changes with every write and every opening. */
  changeToken(): string {
    return `${this.#opening}.${this.#changes}`;
  }

  /** Reads every row at half speed until the signal is aborted; `isDamaged` then covers all rows. Never rejects. */
  async readAllRows(signal: AbortSignal): Promise<void> {
    try {
      await this.use((session) => session.readAllRows(signal));
    } catch (error) {
      if (!this.notice.isFound)
        this.#log.warn({ err: error }, 'the rows were not all read; tried again at the next start');
    }
  }

  removeRepairMark(): Promise<void> {
    return this.#session.removeRepairMark();
  }

  /** Runs write transactions one after another. */
  inTurn<T>(writes: number, work: (writer: JobWriter) => Promise<T>): Promise<T> {
    const mine = this.#lastWrite.then(() => this.#write(writes, work));
    this.#lastWrite = mine.catch(() => undefined);
    return mine;
  }

  async #write<T>(writes: number, work: (writer: JobWriter) => Promise<T>): Promise<T> {
    await this.#checkpoint; // one is refused while a transaction that writes is open
    this.#committing = true;
    try {
      const begunMs = performance.now();
      const result = await this.use(({ writer }) => work(writer));
      this.#onCommit?.((performance.now() - begunMs) / 1000, writes);
      this.#changes += 1;
      return result;
    } finally {
      this.#committing = false;
      this.#idleTimer.refresh();
      this.#writesSinceLook += writes;
      if (this.#writesSinceLook >= WRITES_BETWEEN_LOOKS) {
        this.#writesSinceLook = 0;
        this.#checkpointFrom(CHECKPOINT_LOG_BYTES);
      }
    }
  }

  /** Runs reads. Rejects after damage was found. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.notice.isFound) throw this.notice.refusal();
    try {
      const session = this.#session.invalid ? await this.#reopen() : this.#session;
      return await session.use(() => work(session));
    } catch (error) {
      await this.#takeNotice(error);
      throw error;
    }
  }

  #takeNotice(error: unknown): Promise<void> {
    return this.notice.take(error, (reason) => this.#session.markForRepair(reason));
  }

  #reopen(): Promise<Session> {
    this.#reopening ??= (async () => {
      try {
        this.#log.warn('the database became invalid and is opened again');
        await this.#session.close();
        this.#session = await Session.open(this.#path, { onUnreadable: unreadableLog(this.#log) });
        this.#changes += 1;
        return this.#session;
      } finally {
        this.#reopening = undefined;
      }
    })();
    return this.#reopening;
  }

  #checkpointFrom(logBytes: number): void {
    if (this.#closed || this.#committing || this.#session.invalid || this.notice.isFound) return;
    this.#checkpoint ??= (async () => {
      if ((await this.#session.logBytes()) >= logBytes) await this.#writeCheckpoint();
      this.#checkpoint = undefined;
    })();
  }

  /** A failed checkpoint loses nothing, because the log is still complete. */
  async #writeCheckpoint(): Promise<void> {
    try {
      if (!(await this.#session.checkpoint())) this.#log.warn('no room on the disk for a checkpoint: the log grows');
    } catch (error) {
      this.#log.error({ err: error }, 'a checkpoint failed');
      await this.#takeNotice(error);
    }
  }

  /** No checkpoint starts after this call. */
  stopCheckpoints(): void {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
  }

  /** Waits for writes, writes a last checkpoint and closes. Call `stopCheckpoints` and end all reads before. */
  async close(): Promise<void> {
    await this.#lastWrite;
    await this.#reopening?.catch(() => undefined);
    await this.#checkpoint;
    if (!this.#session.invalid && !this.notice.isFound) await this.#writeCheckpoint();
    await this.#session.close();
  }
}

function unreadableLog(log: Log): UnreadableListener {
  return (jobId, error) => log.error({ job_id: jobId, err: error }, 'a row cannot be read and is left out');
}
