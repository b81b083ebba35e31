import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderSync } from '../../src/storage/folder-sync.ts';

describe('FolderSync', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sync-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('serves concurrent requests with one fsync, and requests during it with the next', async () => {
    const folders = new FolderSync();
    const first = folders.sync(folder);
    expect(folders.sync(folder)).to.equal(first);
    await Promise.resolve();
    const second = folders.sync(folder);
    expect(second).to.not.equal(first);
    expect(folders.sync(folder)).to.equal(second);
    await Promise.all([first, second]);
    expect(folders.sync(folder)).to.not.equal(second);
  });

  it('fails only the requests of the failed fsync', async () => {
    const folders = new FolderSync();
    const gone = join(folder, 'gone');
    const failed = await folders.sync(gone).catch((error: unknown) => error);
    expect(failed).to.have.property('code', 'ENOENT');
    await folders.sync(folder);
  });
});
