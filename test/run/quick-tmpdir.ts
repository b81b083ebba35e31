import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Contains the folder of a test run; unset if a test file runs without mocha's setup. */
export const QUICK_TMPDIR_VARIABLE = 'TEST_QUICK_TMPDIR';

/** A folder in memory if the machine has one: as durable as a disk for a killed process, without the cost of fsync. */
export function quickTmpdir(): string {
  return process.env[QUICK_TMPDIR_VARIABLE] ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
}
