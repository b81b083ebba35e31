import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

it('a service without a free file descriptor answers 503 with Retry-After, and goes on when there are some again', async () => {
  const child = fileURLToPath(new URL('descriptors-child.js', import.meta.url));
  const { stdout } = await promisify(execFile)('prlimit', ['--nofile=200', process.execPath, child]);
  const [without = '', again = ''] = stdout.trim().split('\n');
  expect(without).to.match(/^503 5 \{.*"code":"storage_unavailable"/);
  expect(again).to.match(/^202 - /);
});
