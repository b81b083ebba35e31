import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { projectRoot } from '../tools/sample-project.ts';
import { openServiceWithPages, RESULTS } from '../web/service-with-pages.ts';

const document = await readFile(path.join(projectRoot, 'docs/CLIENT.md'), 'utf8');
const [example = '', embedding = ''] = [...document.matchAll(/^```ts\n([\s\S]+?)^```$/gm)].map(([, code]) => code);

describe('the document of the client', function () {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'client-example-'));
    await mkdir(path.join(folder, 'node_modules', '@types'), { recursive: true });
    await symlink(projectRoot, path.join(folder, 'node_modules', 'reelstate'));
    for (const types of ['@types/node', 'undici-types']) {
      await symlink(path.join(projectRoot, 'node_modules', types), path.join(folder, 'node_modules', types));
    }
    await writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Compiles and runs a program in another project. */
  const run = async (code: string, skipLibCheck: boolean) => {
    const options = { strict: true, module: 'nodenext', target: 'es2023', types: ['node'], skipLibCheck };
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
    await writeFile(path.join(folder, 'example.ts'), code);
    const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
    const compiled = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    expect(compiled.stdout).to.equal('');
    expect(compiled.status).to.equal(0);
    const environment = { ...process.env, PIPELINE_THREADS: '1' };
    return promisify(execFile)(process.execPath, ['example.js'], { cwd: folder, env: environment });
  };

  it('has an example that compiles and runs in another project', async () => {
    const service = await openServiceWithPages();
    try {
      await symlink(service.video(), path.join(folder, 'video.mp4'));
      const { stdout, stderr } = await run(example.replace('http://127.0.0.1:8000', service.url), false);
      expect(stderr).to.equal('');
      expect(stdout.trimEnd().split('\n')).to.have.lengthOf(RESULTS.length);
      expect(stdout).to.contain('48 Gate B12\n');
    } finally {
      await service.close();
    }
  });

  it('has an example of a program that embeds the service', async () => {
    const { stdout } = await run(embedding, true);
    expect(stdout).to.match(/^http:\/\/127\.0\.0\.1:\d+\n$/);
  });
});
