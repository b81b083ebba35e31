import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { projectRoot } from '../tools/sample-project.ts';
import { openServiceWithPages, RESULTS } from '../web/service-with-pages.ts';

describe('the document of the client', function () {
  it('has an example that compiles and runs in another project', async () => {
    const document = await readFile(path.join(projectRoot, 'docs/CLIENT.md'), 'utf8');
    const example = /^```ts\n([\s\S]+?)^```$/m.exec(document)?.[1] ?? expect.fail('no example');
    const service = await openServiceWithPages();
    const folder = await mkdtemp(path.join(tmpdir(), 'client-example-'));
    try {
      await mkdir(path.join(folder, 'node_modules', '@types'), { recursive: true });
      await symlink(projectRoot, path.join(folder, 'node_modules', 'reelstate'));
      await symlink(path.join(projectRoot, 'node_modules/@types/node'), path.join(folder, 'node_modules/@types/node'));
      await symlink(
        path.join(projectRoot, 'node_modules/undici-types'),
        path.join(folder, 'node_modules/undici-types'),
      );
      await symlink(service.video(), path.join(folder, 'video.mp4'));
      const options = { strict: true, module: 'nodenext', target: 'es2023', types: ['node'], skipLibCheck: false };
      await writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
      await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
      await writeFile(path.join(folder, 'example.ts'), example.replace('http://127.0.0.1:8000', service.url));
      const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
      const compiled = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
      expect(compiled.stdout).to.equal('');
      expect(compiled.status).to.equal(0);
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['example.js'], { cwd: folder });
      expect(stderr).to.equal('');
      expect(stdout.trimEnd().split('\n')).to.have.lengthOf(RESULTS.length);
      expect(stdout).to.contain('48 Gate B12\n');
    } finally {
      await service.close();
      await rm(folder, { recursive: true });
    }
  });
});
