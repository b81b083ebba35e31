import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Ownership } from '../../src/store/ownership.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

describe('a service whose child processes cannot be started', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'reelstate-failed-start-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it('reports the reason in one line, exits with 1 and leaves no lock', async () => {
    const model = 'the sum is right, and nothing else';
    const models = join(dataDir, 'models');
    await mkdir(models);
    await writeFile(join(models, 'mine.onnx'), model);
    const sha256 = createHash('sha256').update(model).digest('hex');
    await writeFile(join(models, 'mine.json'), JSON.stringify({ format: 'yolox', sha256, labels: ['a'] }));
    await writeFile(join(models, 'default.json'), JSON.stringify({ model: 'mine' }));
    const child = spawn(process.execPath, [MAIN], {
      env: {
        ...process.env,
        DATA_DIR: dataDir,
        HOST: '127.0.0.1',
        PORT: '0',
        PIPELINE_THREADS: '1',
        LOG_LEVEL: 'silent',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [printed, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect([code, printed]).to.deep.equal([1, '']);
    expect(errors).to.match(/^reelstate: .*mine\.onnx.*\n$/);
    (await Ownership.acquire(dataDir)).release();
  });
});
