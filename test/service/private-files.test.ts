import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DataFolder } from '../../src/data-folder.ts';
import { createLog } from '../../src/log.ts';
import { migrateDatabase } from '../../src/maintenance/migrate-database.ts';

const OTHERS = 0o077;

describe('the files of a data folder', () => {
  let folder: string;
  let umask: number;
  beforeEach(async () => {
    umask = process.umask(0);
    folder = await mkdtemp(join(tmpdir(), 'reelstate-private-'));
    // Created like an operator or systemd does.
    await chmod(folder, 0o755);
  });
  afterEach(async () => {
    process.umask(umask);
    await rm(folder, { recursive: true, force: true });
  });

  /** Returns the paths that others may read, write or enter. */
  async function open(): Promise<string[]> {
    const paths = await readdir(folder, { recursive: true });
    const modes = await Promise.all(paths.map(async (path) => ({ path, mode: (await stat(join(folder, path))).mode })));
    return modes.filter(({ mode }) => (mode & OTHERS) !== 0).map(({ path }) => path);
  }

  it('cannot be read by other users, with any umask', async () => {
    const opened = await DataFolder.open({ path: folder, log: createLog('silent') });
    expect(await readdir(folder)).to.include.members(['jobs.duckdb', 'jobs.duckdb.wal', 'owner.lock']);
    expect(await open()).to.deep.equal([]);
    await opened.close();
    expect(await open()).to.deep.equal([]);
  });

  it('with open permissions from an earlier release become private; the folder keeps its own', async () => {
    await (await DataFolder.open({ path: folder, log: createLog('silent') })).close();
    await writeFile(join(folder, 'jobs.duckdb.damaged-then'), 'rows', { mode: 0o644 });
    await mkdir(join(folder, 'video_jobs', 'quarantine'), { mode: 0o755 });
    for (const name of ['jobs.duckdb', 'video_jobs', 'video_jobs/incoming']) await chmod(join(folder, name), 0o755);
    await (await DataFolder.open({ path: folder, log: createLog('silent') })).close();
    expect(await open()).to.deep.equal([]);
    expect((await stat(folder)).mode & OTHERS).to.equal(0o055);
  });

  it('are private also when migrations are applied by hand', async () => {
    await migrateDatabase('up', { dataDir: folder, maxAttempts: 3 });
    await migrateDatabase('rebuild', { dataDir: folder, maxAttempts: 3 });
    expect(await open()).to.deep.equal([]);
  });
});
