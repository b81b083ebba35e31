/**
 * A service without a free file descriptor when it starts its children, until its input releases them. Prints what it
 * waits for. Argument: the child's module.
 */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createLog } from '../../src/log.ts';
import { ProcessPool } from '../../src/pool/process-pool.ts';
import { MEMORY_BYTES } from './pool-fixture.ts';

// Ends it if the test run was killed.
process.stdin.once('close', () => process.kill(process.pid, 'SIGKILL'));

const [childModule = ''] = process.argv.slice(2);
// Loads what the first fork needs while there are descriptors.
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
