import { CommanderError } from 'commander';
import { Interruption } from '../stop-signals.ts';

/** Meaning of each exit code; docs/COMMAND_LINE.md has this table. */
export const EXIT_CODES = {
  0: 'Done',
  1: 'The service, the machine or an expectation said no: a rejected request, no response, a failed check of `doctor`',
  2: 'The command line was not understood; nothing was done',
  3: 'A video or a job failed; everything else was done',
  130: 'Interrupted (Ctrl-C); accepted jobs continue',
  141: 'The reader of the output closed it, as in `| head`',
  143: 'Ended by SIGTERM',
} as const;
export type ExitCode = keyof typeof EXIT_CODES;

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interruption) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return 1;
}
