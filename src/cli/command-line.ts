import { CommanderError } from 'commander';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Interruption } from '../stop-signals.ts';
import { describeError } from './describe-error.ts';
import { exitCodeOf, type ExitCode } from './exit-code.ts';
import { createProgram } from './program.ts';
import type { Terminal } from './terminal.ts';

const packageSchema = z.object({ version: z.string() });

/**
 * Runs one command to its end; resolves with the exit code, after an error was printed.
 * @param stop ends a service that was started; other commands end with the signal of the terminal
 */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
  stop = terminal.signal,
): Promise<ExitCode> {
  try {
    const { version } = packageSchema.parse(
      JSON.parse(await readFile(new URL(import.meta.resolve('#package.json')), 'utf8')),
    );
    await createProgram(version, terminal, stop).parseAsync(args, { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    // An error after an interruption may be its consequence.
    const cause: unknown = terminal.signal.aborted ? terminal.signal.reason : error;
    const isReported = cause instanceof Interruption || cause instanceof CommanderError;
    if (isReported) terminal.line.clear();
    else terminal.note(`reelstate: ${describeError(cause)}`);
    return exitCodeOf(cause);
  }
}
