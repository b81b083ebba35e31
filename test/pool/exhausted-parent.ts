/**
 * A service that has no file descriptor left when it starts its children, and gets them back when its input says so. It
 * says what it waits for. Argument: the child's module.
 */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createLog } from '../../src/log.ts';
import { ProcessPool } from '../../src/pool/process-pool.ts';
import { MEMORY_BYTES } from './pool-fixture.ts';

// Not to outlive a test run that was itself killed.
process.stdin.once('close', () => process.kill(process.pid, 'SIGKILL'));

const [childModule = ''] = process.argv.slice(2);
// What is loaded when a process is first forked needs no descriptor any more.
const isolation = {
  levels: [],
  command: [process.execPath],
  environment: {},
  sandbox: { files: false, systemCalls: false },
} as const;
const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  // None is left.
}
const pool = ProcessPool.open({
  size: 1,
  threads: 1,
  isolation,
  memoryBytes: MEMORY_BYTES,
  stallTimeoutMs: 60_000,
  recycleAfterJobs: 1,
  warmUp: [],
  log: createLog('warn'),
  childModule: new URL(childModule),
});
await once(process.stdin, 'data');
process.stdout.write(`${JSON.stringify({ ready: pool.isReady() })}\n`);
for (const descriptor of held) closeSync(descriptor);
await pool.ready;
process.stdout.write(`${JSON.stringify({ ready: pool.isReady(), children: pool.pids().length })}\n`);
await pool.close();
process.exit();
