import { cp, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import { rebuild } from '../../src/maintenance/rebuild.ts';
import { readRepairMark } from '../../src/store/repair-mark.ts';
import { jobIn } from '../job-in.ts';
import { refusalOf } from '../refusal-of.ts';
import { EngineHarness, quickFolder } from './engine-harness.ts';
import { brokenPromises } from './promises.ts';

const HEADER_BYTES = 3 * 4096;
const BLOCK_BYTES = 262_144;

describe('a database file with damaged blocks', () => {
  /** Closed cleanly, so that everything is in the database file and nothing in its log. */
  let sound: string;
  let accepted: readonly JobId[];
  let ended: ReadonlyMap<JobId, string>;

  before(async () => {
    const harness = await EngineHarness.open();
    const ids: JobId[] = [];
    for (let n = 0; n < 6; n += 1) ids.push((await harness.submit()).jobId);
    const [first, second, third] = ids;
    if (first === undefined || second === undefined || third === undefined) throw new Error('six jobs were submitted');
    await harness.worker().runOnce();
    await harness.worker().runOnce();
    await harness.engine.cancel(third);
    accepted = ids;
    ended = new Map([
      [first, 'completed'],
      [second, 'completed'],
      [third, 'failed'],
    ]);
    await harness.store.close();
    sound = harness.folder;
  });
  after(() => rm(sound, { recursive: true, force: true }));

  async function copy(): Promise<{ readonly folder: string; readonly path: string }> {
    const folder = await quickFolder();
    await cp(sound, folder, { recursive: true });
    return { folder, path: join(folder, 'jobs.duckdb') };
  }

  async function flip(path: string, position: number): Promise<void> {
    const file = await open(path, 'r+');
    try {
      const { buffer } = await file.read(Buffer.alloc(64), 0, 64, position);
      await file.write(
        buffer.map((byte) => byte ^ 0xff),
        0,
        64,
        position,
      );
    } finally {
      await file.close();
    }
  }

  /** Checks that every accepted job exists in its state, and that every promise holds after all have run. */
  async function expectRestored(folder: string): Promise<void> {
    await using after = await EngineHarness.open({ folder });
    await after.recover({ damaged: after.store.damage !== undefined });
    for (const jobId of accepted) {
      expect((await jobIn(after.store, jobId)).status).to.equal(ended.get(jobId) ?? 'pending');
    }
    while (await after.worker().runOnce());
    const kept = { store: after.store, storage: after.storage, baseDir: join(folder, 'video_jobs') };
    expect(await brokenPromises(kept, { accepted: new Set(accepted), ended })).to.deep.equal([]);
    const ran = after.pipelines.started.map((path) => path.slice(-40, -4));
    expect(ran).to.have.members(accepted.filter((jobId) => !ended.has(jobId)));
  }

  it('is detected at the start or when it is read, rejects every call until the next start, and loses no job', async () => {
    const blocks = ((await stat(join(sound, 'jobs.duckdb'))).size - HEADER_BYTES) / BLOCK_BYTES;
    expect(blocks).to.be.at.least(2);
    const found = { atStart: 0, whenRead: 0 };
    for (let block = 0; block < blocks; block += 1) {
      const { folder, path } = await copy();
      await flip(path, HEADER_BYTES + block * BLOCK_BYTES + 1000);
      const opened = await EngineHarness.open({ folder });
      if (opened.store.damage === undefined) {
        await opened.store.readAllRows(new AbortController().signal);
        if (opened.store.isDamaged) {
          found.whenRead += 1;
          for (const refused of [opened.store.ping(), opened.store.countByStatus(), opened.submit()]) {
            const { code, message } = await refusalOf(refused);
            expect([code, message]).to.deep.equal([
              'store_unavailable',
              'The job database is damaged. A restart of the service sets it aside and restores the jobs',
            ]);
          }
          expect(await readRepairMark(path)).to.match(/Corrupt database file/);
        }
      } else {
        found.atStart += 1;
        // Like a start that is killed before the jobs are restored: the next one finds the damage again.
      }
      await opened.store.close();
      if (opened.store.damage !== undefined || opened.store.isDamaged) await expectRestored(folder);
      else await rm(folder, { recursive: true });
    }
    expect(found.atStart + found.whenRead).to.be.at.least(2);
  });

  it('that is truncated is detected at the start; complete jobs are kept and the others restored', async () => {
    for (const part of [0.5, 0.9]) {
      const { folder, path } = await copy();
      await truncate(path, Math.floor((await stat(path)).size * part));
      const opened = await EngineHarness.open({ folder });
      expect(opened.store.damage?.setAside).to.have.lengthOf(1);
      await opened.store.close();
      await expectRestored(folder);
    }
  });

  it('is repaired by rebuild, which reads every row, keeps the file and forgets the damage', async () => {
    const { folder, path } = await copy();
    const size = (await stat(path)).size;
    for (let at = HEADER_BYTES; at < size; at += BLOCK_BYTES) await flip(path, at + 1000);
    expect(await rebuild(folder, 2, createLog('silent'))).to.deep.equal({
      pending: 3,
      running: 0,
      completed: 2,
      failed: 1,
    });
    const names = await readdir(folder);
    expect(names.filter((name) => name.includes('.damaged-'))).to.have.lengthOf(1);
    expect(names.filter((name) => /salvage|repair/.test(name))).to.deep.equal([]);
    await expectRestored(folder);
  });
});
