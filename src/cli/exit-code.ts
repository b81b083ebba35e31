import { CommanderError } from 'commander';
import { ReelstateError } from '../client/reelstate-error.ts';

/** What each exit code means; docs/COMMAND_LINE.md has this table. */
export const EXIT_CODES = {
  0: 'Done',
  1: 'Something failed: a job, a request that was refused, a check of `doctor`',
  2: 'The command line was not understood; nothing was done',
  3: 'Nothing answers at the URL, or the service is too busy or not ready: try again later',
  130: 'Interrupted (Ctrl-C); jobs that were accepted go on',
  141: 'Whoever read the output went away, as with `| head`',
  143: 'Ended by SIGTERM',
} as const;
export type ExitCode = keyof typeof EXIT_CODES;

/** Why a command ends before it is done: from outside. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interruption) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof ReelstateError && error.isTransient ? 3 : 1;
}
