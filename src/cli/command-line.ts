import { CommanderError } from 'commander';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { describeError } from './describe-error.ts';
import { exitCodeOf, Interruption, type ExitCode } from './exit-code.ts';
import { createProgram } from './program.ts';
import type { Terminal } from './terminal.ts';

const packageSchema = z.object({ version: z.string() });

/** Runs one command to its end; resolves with the exit code, after an error was printed. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const { version } = packageSchema.parse(
      JSON.parse(await readFile(new URL(import.meta.resolve('#package.json')), 'utf8')),
    );
    await createProgram(version, terminal).parseAsync(args, { from: 'user' });
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
