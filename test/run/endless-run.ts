/** A test file for a separate mocha that starts what is hardest to end, prints where it is, and never ends. */
import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService } from '../../tools/service-process.ts';
import { quickTmpdir } from './quick-tmpdir.ts';

const IGNORES_SIGNALS = `
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
setInterval(() => {}, 1e6);
process.send('ready');`;

describe('a run that never ends', () => {
  it('has a service, a process that ignores signals, and files', async () => {
    const folders = [await mkdtemp(join(tmpdir(), 'endless-')), await mkdtemp(join(quickTmpdir(), 'endless-'))];
    const [dataDir = ''] = folders;
    await writeFile(join(dataDir, 'file'), 'left behind');
    const deaf = spawn(process.execPath, ['--eval', IGNORES_SIGNALS], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await new Promise((resolve) => {
      deaf.once('message', resolve);
    });
    deaf.unref();
    const { signal } = new AbortController();
    const service = await startService({ dataDir, signal, settings: { PIPELINE_THREADS: '1' } });
    process.stdout.write(`${JSON.stringify({ pids: [process.pid, deaf.pid, service.pid], folders })}\n`);
    await new Promise(() => {});
  }).timeout(0);
});
