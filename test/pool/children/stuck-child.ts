/** The real child with one more thread that hangs in native code. */
import { Worker } from 'node:worker_threads';

new Worker("require('node:crypto').pbkdf2Sync('a', 'b', 2_000_000_000, 64, 'sha512')", { eval: true }).once(
  'error',
  (error) => {
    throw error;
  },
);
await import('../../../src/pool/child.ts');
