import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { z } from 'zod';
import { startService } from '../../tools/service-process.ts';

interface Run {
  readonly code: number;
  readonly output: string;
}

/** Runs a compiled tool with its own temporary folder. */
function run(tool: string, folder: string, ...options: readonly string[]): Promise<Run> {
  const command = fileURLToPath(new URL(`../../tools/${tool}.js`, import.meta.url));
  return new Promise((resolve) => {
    const env = { ...process.env, TMPDIR: folder, PIPELINE_THREADS: '1' };
    execFile(process.execPath, [command, ...options], { env, timeout: 600_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}

describe('smoke test and demo', function () {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'smoke-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('the smoke test passes against a running service and leaves it running', async () => {
    const signal = AbortSignal.timeout(600_000);
    const settings = { PIPELINE_THREADS: '1' };
    const service = await startService({ dataDir: path.join(folder, 'data'), signal, settings });
    const { code, output } = await run('smoke_test', folder, service.url);
    expect(
      output.match(/^(PASS|FAIL) +\d+ ms {2}.*$/gm)?.map((line) => line.replace(/ +\d+ ms {2}/, ' ')),
    ).to.deep.equal([
      'PASS make a video',
      'PASS submit',
      'PASS status to completion',
      'PASS results',
      'PASS frames sampled',
      'PASS text read',
    ]);
    expect(code).to.equal(0);
    expect((await fetch(`${service.url}/health`, { signal })).status).to.equal(200);
    expect(await service.stop()).to.equal(0);
  });

  it('the smoke test fails on a service with other responses', async () => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(202).end('{"id": 1}'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = z.object({ port: z.number() }).parse(server.address());
    const { code, output } = await run('smoke_test', folder, `http://127.0.0.1:${port}`);
    server.close();
    expect(output).to.match(/^FAIL +\d+ ms {2}submit: /m);
    expect(code).to.equal(1);
  });

  it('a service that cannot start is reported with its output', async () => {
    const dataDir = path.join(fileURLToPath(import.meta.url), 'no-folder');
    const failure = await startService({ dataDir, signal: AbortSignal.timeout(600_000) }).then(
      () => 'started',
      (error: unknown) => String(error),
    );
    expect(failure).to.match(/the service ended \(1\) before it was ready:\n.+/);
  });

  it('the demo prints what its video shows, leaves the results, and stops cleanly', async () => {
    const { code, output } = await run('demo', folder);
    for (const seen of [
      'pending',
      'running',
      'completed',
      'REELSTATE',
      'Upload a video',
      'Poll its job',
      'Fetch the results',
    ]) {
      expect(output).to.contain(seen);
    }
    expect(output).to.match(/upload \[#+\] (\d+) of \1 KiB/);
    const [, results = ''] = /^Results: (.+)$/m.exec(output) ?? [];
    expect(existsSync(results), results).to.equal(true);
    expect(code, output).to.equal(0);
  });
});
