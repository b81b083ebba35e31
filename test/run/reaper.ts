/**
 * Outlives a test run by a moment. When the runner ends in any way, kills the processes of the run and deletes its
 * folders. Arguments: run id, the folders, `--`, pids of the runner and of the npm processes above it. Standard input
 * is a pipe from the runner.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { processesOfRun, startOf } from './run-processes.ts';

const LOOK_EVERY_MS = 500;
const KILL_EVERY_MS = 20;

const [, , runId = '', ...rest] = process.argv;
const folders = rest.slice(0, rest.indexOf('--'));
const runners = rest.slice(rest.indexOf('--') + 1).map((text) => ({ pid: Number(text), start: startOf(Number(text)) }));
const isGone = ({ pid, start }: (typeof runners)[number]): boolean => startOf(pid) !== start;

// A terminal hang-up and Ctrl-C are for the runner; its end is noticed here.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const ended = new AbortController();
process.stdin.resume().once('close', () => ended.abort());
// A killed npm leaves its shell and the runner running.
while (!ended.signal.aborted && !runners.some(isGone)) {
  await wait(LOOK_EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
}

const [runner] = runners;
if (runner !== undefined && !ended.signal.aborted && !isGone(runner)) kill(runner.pid);
for (let found = processesOfRun(runId); found.length > 0; found = processesOfRun(runId)) {
  for (const pid of found) kill(pid);
  await wait(KILL_EVERY_MS);
}
for (const folder of folders) {
  for (const mounted of mountsIn(folder)) spawnSync('umount', ['--lazy', mounted]);
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function mountsIn(folder: string): readonly string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((at) => at.startsWith(`${folder}/`));
}
