#!/usr/bin/env node
/** Front door 3: the command line. */
import { CommanderError } from 'commander';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { describeError } from './describe-error.ts';
import { exitCodeOf, Interruption } from './exit-code.ts';
import { createProgram } from './program.ts';
import { Terminal } from './terminal.ts';

const packageSchema = z.object({ version: z.string() });

const interruption = new AbortController();
const { signal } = interruption;
// Once: a second signal ends the process immediately.
process.once('SIGINT', () => interruption.abort(new Interruption('interrupted', 130)));
process.once('SIGTERM', () => interruption.abort(new Interruption('terminated', 143)));
process.stdout.on('error', () => interruption.abort(new Interruption('the output was closed', 141)));
process.stderr.on('error', () => {});

const { stdout, stderr } = process;
const terminal = new Terminal({ stdout, stderr, signal });
try {
  const { version } = packageSchema.parse(
    JSON.parse(await readFile(new URL(import.meta.resolve('#package.json')), 'utf8')),
  );
  await createProgram(version, terminal).parseAsync();
  process.exitCode = terminal.exitCode;
} catch (error) {
  // An error after an interruption may be its consequence.
  const cause: unknown = signal.aborted ? signal.reason : error;
  const isReported = cause instanceof Interruption || cause instanceof CommanderError;
  if (isReported) terminal.line.clear();
  else terminal.note(`reelstate: ${describeError(cause)}`);
  process.exitCode = exitCodeOf(cause);
}
