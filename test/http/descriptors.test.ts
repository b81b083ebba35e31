import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

it('a service without a free file descriptor responds with 503 and Retry-After, and continues when there is one', async () => {
  const child = fileURLToPath(new URL('descriptors-child.js', import.meta.url));
  const { stdout } = await promisify(execFile)('prlimit', ['--nofile=200', process.execPath, child]);
  const [without = '', again = ''] = stdout.trim().split('\n');
  expect(without).to.match(/^503 5 \{.*"code":"storage_unavailable"/);
  expect(again).to.match(/^202 - /);
});
