/**
 * Loaded by mocha before any test, in the runner and in each of its workers. Every process and temporary file of a test
 * ends with its file, and with the run, even if the runner is killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { takeCoverage } from 'node:v8';
import { QUICK_TMPDIR_VARIABLE, quickTmpdir } from './quick-tmpdir.ts';
import { commandOf, processesOfRun, runnersFrom, RUN_VARIABLE } from './run-processes.ts';

/** Time for processes to end; generous, because the machine may be busy. */
const END_WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 50;

const { MOCHA_WORKER_ID: workerId, [RUN_VARIABLE]: outerRuns = '' } = process.env;
// A mocha started by a test is not a worker of this run.
delete process.env['MOCHA_WORKER_ID'];
/** Processes started here have this id in their environment: that of the run, or of the run's worker. */
const ownId = workerId === undefined ? randomUUID() : `${outerRuns.split(' ').at(-1)}/${workerId}`;
let reaper: ChildProcess | undefined;

process.setSourceMapsEnabled(true);
// From version 22 on, npm makes Node.js keep a cache in the temporary folder.
process.env['NODE_DISABLE_COMPILE_CACHE'] = '1';
if (workerId === undefined) startRun();
else useFolders(join(tmpdir(), workerId), join(quickTmpdir(), workerId));
process.env[RUN_VARIABLE] = `${outerRuns} ${ownId}`.trim();

function startRun(): void {
  const folders = [tmpdir(), quickTmpdir()].map((parent) => mkdtempSync(join(parent, 'reelstate-test-')));
  const runners = runnersFrom(process.pid).map(String);
  reaper = spawn(
    process.execPath,
    [fileURLToPath(new URL('reaper.js', import.meta.url)), ownId, ...folders, '--', ...runners],
    { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
  );
  reaper.unref();
  // Services that a test runs as another user pass through it.
  for (const folder of folders) chmodSync(folder, 0o711);
  const [folder = '', quickFolder = ''] = folders;
  useFolders(folder, quickFolder);
}

function useFolders(folder: string, quickFolder: string): void {
  for (const made of [folder, quickFolder]) mkdirSync(made, { recursive: true });
  process.env['TMPDIR'] = folder;
  process.env[QUICK_TMPDIR_VARIABLE] = quickFolder;
}

/** Waits for the reaper, so that nothing is left when the runner ends. */
export async function mochaGlobalTeardown(): Promise<void> {
  if (reaper === undefined || reaper.exitCode !== null) return;
  // Without it nothing keeps the process alive, which then ends with 0 before mocha sets the exit code of a failure.
  reaper.ref();
  const ended = once(reaper, 'exit');
  reaper.stdin?.end();
  await ended;
}

export const mochaHooks = {
  /** After each file in parallel mode, else after the last. */
  async afterAll(): Promise<void> {
    const left = (): readonly number[] => processesOfRun(ownId);
    const givenUpAt = Date.now() + END_WITHIN_MS;
    while (left().length > 0 && Date.now() < givenUpAt) await wait(LOOK_EVERY_MS);
    const files = [tmpdir(), quickTmpdir()].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    const faults = [...left().map((pid) => `process ${pid}: ${commandOf(pid)}`), ...files];
    // Mocha gives its workers a second to end, which is too short to write it then.
    if (process.env['NODE_V8_COVERAGE'] !== undefined) takeCoverage();
    if (faults.length > 0) throw new Error(`a test left behind:\n${faults.join('\n')}`);
  },
};
