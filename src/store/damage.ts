import { messagesOf } from './database.ts';

/** DuckDB's messages about a file that it can read but that is not what was written. A locked or unreadable file is not damaged. */
const DAMAGED_WAL = /while replaying WAL file/;
const DAMAGED_DATABASE = /Corrupt database file|not a valid DuckDB database file|Could not read enough bytes from file/;

/** What was found damaged at a start, or not yet repaired by the one before. */
export interface Damage {
  /** Paths under which the files now lie, whole, as they were found. */
  readonly setAside: readonly string[];
  /**
   * What is missing now: the commits from the first damaged entry of the log on, all of the log, the rows that could not
   * be read, or everything.
   */
  readonly lost: 'end_of_log' | 'log' | 'rows' | 'database';
}

/** The part of the database whose damage an error reports; undefined for any other error. */
export function damagedPartIn(error: unknown): 'log' | 'database' | undefined {
  const messages = messagesOf(error);
  if (messages.some((message) => DAMAGED_WAL.test(message))) return 'log';
  return messages.some((message) => DAMAGED_DATABASE.test(message)) ? 'database' : undefined;
}
