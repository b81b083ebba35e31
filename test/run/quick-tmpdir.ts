import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Holds the folder of a test run; unset where a test file is run without mocha's setup. */
export const QUICK_TMPDIR_VARIABLE = 'TEST_QUICK_TMPDIR';

/** A folder in memory where the machine has one: to a killed process as durable as a disk, without the cost of fsync. */
export function quickTmpdir(): string {
  return process.env[QUICK_TMPDIR_VARIABLE] ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
}
