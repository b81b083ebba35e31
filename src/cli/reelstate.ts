#!/usr/bin/env node
/** Front door 3: the command line. */
import { runCommandLine } from './command-line.ts';
import { Interruption } from './exit-code.ts';
import { Terminal } from './terminal.ts';

const interruption = new AbortController();
const { signal } = interruption;
// Once: a second signal ends the process immediately.
process.once('SIGINT', () => interruption.abort(new Interruption('interrupted', 130)));
process.once('SIGTERM', () => interruption.abort(new Interruption('terminated', 143)));
process.stdout.on('error', () => interruption.abort(new Interruption('the output was closed', 141)));
process.stderr.on('error', () => {});

const { stdout, stderr } = process;
process.exitCode = await runCommandLine(process.argv.slice(2), new Terminal({ stdout, stderr, signal }));
