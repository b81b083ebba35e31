import { messagesOf } from './database.ts';

/** DuckDB's messages about a readable file with wrong content. A locked or unreadable file is not damaged. */
const DAMAGED_WAL = /while replaying WAL file/;
const DAMAGED_DATABASE = /Corrupt database file|not a valid DuckDB database file|Could not read enough bytes from file/;

/** Damage found at this start, or by an earlier start whose repair is not complete. */
export interface Damage {
  /** New paths of the damaged files, which are kept unchanged. */
  readonly setAside: readonly string[];
  /**
   * What is missing: the commits from the first damaged log entry on, the whole log, the unreadable rows, or
   * everything.
   */
  readonly lost: 'end_of_log' | 'log' | 'rows' | 'database';
}

/** Returns the damaged part that an error reports; undefined for any other error. */
export function damagedPartIn(error: unknown): 'log' | 'database' | undefined {
  const messages = messagesOf(error);
  if (messages.some((message) => DAMAGED_WAL.test(message))) return 'log';
  return messages.some((message) => DAMAGED_DATABASE.test(message)) ? 'database' : undefined;
}
