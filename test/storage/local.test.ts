import { expect } from 'chai';
import { mkdir, mkdtemp, readFile, readdir, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFilesOf } from '../../tools/child-processes.ts';
import { linkOrCopy } from '../../src/storage/durable-file.ts';
import { LocalStorageService } from '../../src/storage/local.ts';
import { mountSmallDisk, requireSmallDisks, unmount } from '../small-disk.ts';
import { quickTmpdir } from '../run/quick-tmpdir.ts';
import { chunks, codeOf, rejection, storageContract } from './storage.contract.ts';

describe('LocalStorageService', () => {
  let root: string;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'storage-')));
  });
  afterEach(() => rm(root, { recursive: true }));

  describe('is a storage service', () => {
    storageContract(async () => {
      const baseDir = join(root, 'made', 'video_jobs');
      const storage = await LocalStorageService.open({ baseDir });
      const files = () => filesUnder(baseDir);
      return { storage, incomingDir: storage.incomingDir, files, dispose: async () => undefined };
    });
  });

  describe('whose incoming folder is on another disk is a storage service', () => {
    // Without a second disk this runs on one, which must work too.
    storageContract(async () => {
      const incomingDir = await mkdtemp(join(quickTmpdir(), 'incoming-'));
      await symlink(incomingDir, join(root, 'incoming'));
      const storage = await LocalStorageService.open({ baseDir: root });
      return {
        storage,
        incomingDir: storage.incomingDir,
        files: async () => [...(await filesUnder(root)), ...(await filesUnder(incomingDir))],
        dispose: () => rm(incomingDir, { recursive: true }),
      };
    });
  });

  it('deletes nothing when it is opened, and sweeps only the incoming folder on request', async () => {
    await mkdir(join(root, 'incoming', 'folder'), { recursive: true });
    await writeFile(join(root, 'incoming', 'cut-off'), 'half');
    await writeFile(join(root, 'job.mp4'), 'video');
    const storage = await LocalStorageService.open({ baseDir: root });
    expect((await readdir(storage.incomingDir)).toSorted()).to.deep.equal(['cut-off', 'folder']);
    await storage.sweepIncoming();
    expect(await readdir(storage.incomingDir)).to.deep.equal([]);
    expect(await readFile(await storage.loadFile('job.mp4'), 'utf8')).to.equal('video');
  });

  it('follows no link out of its folder', async () => {
    const outside = join(root, 'outside');
    const baseDir = join(root, 'base');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    const storage = await LocalStorageService.open({ baseDir });
    await symlink(outside, join(baseDir, 'folder'));
    await symlink(join(outside, 'secret'), join(baseDir, 'file'));
    for (const path of ['folder/secret', 'folder/new/deep', 'file']) {
      expect(codeOf(await rejection(storage.saveFile(chunks('x'), path)))).to.equal('path_refused');
      expect(codeOf(await rejection(storage.loadFile(path)))).to.equal('path_refused');
      expect(codeOf(await rejection(storage.deleteFile(path)))).to.equal('path_refused');
    }
    expect(await filesUnder(outside)).to.deep.equal([join(outside, 'secret')]);
  });

  it('is unavailable while its incoming folder is missing', async () => {
    const storage = await LocalStorageService.open({ baseDir: root });
    await writeFile(join(storage.incomingDir, 'upload'), 'video');
    await rename(storage.incomingDir, join(root, 'away'));
    const error = await rejection(storage.saveFile({ adopt: join(storage.incomingDir, 'upload') }, 'x'));
    expect(codeOf(error)).to.equal('storage_unavailable');
  });

  it('adopts no link in its incoming folder', async () => {
    const storage = await LocalStorageService.open({ baseDir: join(root, 'base') });
    await writeFile(join(root, 'secret'), 'secret');
    await symlink(join(root, 'secret'), join(storage.incomingDir, 'upload'));
    const adoption = storage.saveFile({ adopt: join(storage.incomingDir, 'upload') }, 'x');
    expect(codeOf(await rejection(adoption))).to.equal('path_refused');
  });

  it('copies where the file system has no links', async () => {
    await writeFile(join(root, 'one'), 'a video');
    const refused = Object.assign(new Error('no links'), { code: 'EPERM', syscall: 'link' });
    await linkOrCopy(join(root, 'one'), join(root, 'two'), () => Promise.reject(refused));
    const [one, two] = await Promise.all(['one', 'two'].map((name) => stat(join(root, name))));
    expect(two?.ino).not.to.equal(one?.ino);
    expect(await readFile(join(root, 'two'), 'utf8')).to.equal('a video');
  });

  it('reports a full disk as storage_full without a path of the machine, and leaves no file', async function () {
    requireSmallDisks(this);
    mountSmallDisk(root, 1);
    try {
      const storage = await LocalStorageService.open({ baseDir: root });
      const source = (async function* () {
        for (let n = 0; n < 4; n += 1) yield Buffer.alloc(1024 ** 2);
      })();
      const refusal = await rejection(storage.saveFile(source, 'x.json'));
      expect(refusal).to.include({ code: 'storage_full', retryable: true });
      expect(refusal).to.have.property('message').that.contains('x.json').and.does.not.contain(root);
      expect(refusal).to.have.nested.property('cause.code', 'ENOSPC');
      expect(await filesUnder(root)).to.deep.equal([]);
    } finally {
      unmount(root);
    }
  });

  it('wraps every other system error without a path of the machine', async () => {
    const storage = await LocalStorageService.open({ baseDir: root });
    await symlink('loop', join(root, 'loop'));
    for (const attempt of [
      storage.loadFile('loop'),
      storage.deleteFile('loop/x'),
      storage.saveFile(chunks('x'), 'loop/x'),
      storage.moveFile('loop', 'x'),
    ]) {
      const refusal = await rejection(attempt);
      expect(refusal).to.include({ code: 'storage_unavailable', retryable: true });
      expect(refusal).to.have.property('message').that.contains('ELOOP').and.does.not.contain(root);
      expect(refusal).to.have.nested.property('cause.code', 'ELOOP');
    }
  });

  it('distinguishes errors of a source from errors of the disk', async () => {
    const storage = await LocalStorageService.open({ baseDir: root });
    const reason = Object.assign(new Error('refused'), { code: 'EACCES', syscall: 'spawn' });
    const source = (async function* () {
      yield 'half';
      throw reason;
    })();
    expect(await rejection(storage.saveFile(source, 'x'))).to.equal(reason);
  });

  it('reports storage_unavailable, not a missing file, if its folder is missing', async () => {
    const storage = await LocalStorageService.open({ baseDir: join(root, 'base') });
    await rm(join(root, 'base'), { recursive: true });
    for (const attempt of [storage.loadFile('x'), storage.saveFile(chunks('x'), 'x')]) {
      expect(await rejection(attempt)).to.have.property('code', 'storage_unavailable');
    }
    const listing = (async () => {
      for await (const path of storage.list()) throw new Error(path);
    })();
    expect(await rejection(listing)).to.have.property('code', 'storage_unavailable');
  });

  it('has no open file afterwards', async function () {
    if (process.platform !== 'linux') this.skip();
    const storage = await LocalStorageService.open({ baseDir: root });
    const broken = (async function* () {
      yield 'half';
      throw new Error('the source broke');
    })();
    await rejection(storage.saveFile(broken, 'x'));
    await storage.saveFile(chunks('a', 'b'), 'deep/x');
    const upload = join(storage.incomingDir, 'upload');
    await writeFile(upload, 'a video');
    await storage.saveFile({ adopt: upload }, 'y');
    expect(openFilesOf(process.pid).filter((path) => path.startsWith(root))).to.deep.equal([]);
  });
});

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
