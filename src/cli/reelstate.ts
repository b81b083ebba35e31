#!/usr/bin/env node
/** Entry point of the command line. */
import { Interruption, stopSignals } from '../stop-signals.ts';

const stop = stopSignals();
const closed = new AbortController();
process.stdout.on('error', () => closed.abort(new Interruption('the output was closed', 141)));
process.stderr.on('error', () => {});
// Imported here, so that a signal during loading has a handler.
const { runCommandLine } = await import('./command-line.ts');
const { Terminal } = await import('./terminal.ts');

const { stdout, stderr } = process;
const terminal = new Terminal({ stdout, stderr, signal: AbortSignal.any([stop, closed.signal]) });
process.exitCode = await runCommandLine(process.argv.slice(2), terminal, stop);
