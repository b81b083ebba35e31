/**
 * A service that prints the ids of its children and waits to be killed. Arguments: the child's module, the number of
 * children.
 */
import { createLog } from '../../src/log.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { ProcessPool } from '../../src/pool/process-pool.ts';
import { MEMORY_BYTES } from './pool-fixture.ts';

// Ends it if the test run was killed.
process.stdin.resume().once('close', () => process.kill(process.pid, 'SIGKILL'));

const [childModule = '', size = '2'] = process.argv.slice(2);
const pool = ProcessPool.open({
  size: Number(size),
  threads: 1,
  isolation: await detectIsolation({ environment: process.env }),
  memoryBytes: MEMORY_BYTES,
  stallTimeoutMs: 10_000,
  recycleAfterJobs: 1,
  warmUp: [],
  log: createLog('silent'),
  childModule: new URL(childModule),
});
await pool.ready;
process.stdout.write(`${JSON.stringify(pool.pids())}\n`);
