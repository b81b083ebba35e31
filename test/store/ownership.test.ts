import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Ownership } from '../../src/store/ownership.ts';
import { refusalOf } from '../refusal-of.ts';
import { holdFolder } from './folder-holder.ts';

describe('Ownership', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-owner-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('belongs to one process at a time, which the error names, and ends with SIGKILL', async () => {
    const holder = await holdFolder(folder);
    try {
      const refusal = await refusalOf(Ownership.acquire(folder));
      expect(refusal.code).to.equal('store_unavailable');
      expect(refusal.message).to.equal(`another process (PID ${holder.pid}) has the data folder ${folder}`);
      expect(refusal.hint).to.match(/nothing was changed/);
    } finally {
      await holder.kill();
    }
    (await Ownership.acquire(folder)).release();
    (await Ownership.acquire(folder)).release();
    expect(await readdir(folder)).to.deep.equal(['owner.lock']);
  });

  it('is given to exactly one of two concurrent processes', async () => {
    const holders = await Promise.allSettled([holdFolder(folder), holdFolder(folder)]);
    for (const holder of holders) if (holder.status === 'fulfilled') await holder.value.kill();
    expect(holders.filter(({ status }) => status === 'fulfilled')).to.have.lengthOf(1);
    expect(await readdir(folder)).to.deep.equal(['owner.lock']);
  });

  it('names a file that cannot be used as a lock, and does not change it', async () => {
    await writeFile(join(folder, 'owner.lock'), 'something else');
    const refusal = await refusalOf(Ownership.acquire(folder));
    expect(refusal.message).to.contain(`cannot lock the data folder with ${join(folder, 'owner.lock')}: `);
    expect(refusal.retryable).to.equal(false);
  });
});
