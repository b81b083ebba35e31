/** The child as it is, with one more thread that is deep in native code and hears nothing. */
import { Worker } from 'node:worker_threads';

new Worker("require('node:crypto').pbkdf2Sync('a', 'b', 2_000_000_000, 64, 'sha512')", { eval: true }).once(
  'error',
  (error) => {
    throw error;
  },
);
await import('../../../src/pool/child.ts');
