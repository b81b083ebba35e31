import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { resultsPathOf } from '../../src/engine/sidecar.ts';
import { disturb } from '../../tools/disturb.ts';
import { EngineHarness } from '../engine/engine-harness.ts';
import { allJobs, brokenPromises } from '../engine/promises.ts';
import { mountSmallDisk, unmount } from '../small-disk.ts';

/** In the suite each disturbance once; `npm run disturb` takes ten minutes. */
const SECONDS = Number(process.env['DISTURB_SECONDS'] ?? 0);
const SMALL_DISK_MIB = 256;

describe('a service whose environment refuses repeatedly under load', function () {
  if (process.platform !== 'linux') return;
  let dataDir: string;
  let isSmallDisk: boolean;
  before(async () => {
    // The service runs as another user if possible, who must reach its folder.
    if (((await stat(tmpdir())).mode & 0o777) === 0o700) await chmod(tmpdir(), 0o711);
    dataDir = await mkdtemp(join(tmpdir(), 'reelstate-disturb-'));
    isSmallDisk = mountSmallDisk(dataDir, SMALL_DISK_MIB) === undefined;
    if (!isSmallDisk) console.log('      no file system can be mounted here: the disk is not filled');
  });
  after(async () => {
    if (isSmallDisk) unmount(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });

  it('ends every job as it would have without', async () => {
    const report = await disturb(dataDir, {
      seconds: SECONDS,
      longest: SECONDS < 60 ? 1 : 8,
      submitters: SECONDS < 60 ? 2 : 3,
      isSmallDisk,
      signal: AbortSignal.timeout(SECONDS * 1_000 + 400_000),
    });
    expect(report.broken).to.deep.equal([]);
    const expected = { sound: 'completed', broken: 'failed invalid_video' };
    const ends = [...report.accepted].map(([jobId, kind]) => `${kind} ${report.ended.get(jobId)}`);
    const strange = ends.filter((end) => !Object.entries(expected).some(([kind, how]) => end === `${kind} ${how}`));
    expect(strange).to.deep.equal([]);
    expect(report.accepted.size).to.be.above(Math.max(report.disturbances.size, SECONDS / 4));

    const baseDir = join(dataDir, 'video_jobs');
    // Like the next start: a folder that could not be written may contain files to be deleted.
    const harness = await EngineHarness.open({ folder: dataDir });
    const { store, storage } = harness;
    try {
      await harness.recover();
      await harness.keepHouse();
      const ledger = {
        accepted: new Set(report.accepted.keys()),
        ended: new Map([...report.ended].map(([jobId, end]) => [jobId, end.split(' ')[0] ?? ''])),
      };
      expect(await brokenPromises({ store, storage, baseDir }, ledger)).to.deep.equal([]);
      const jobs = await allJobs(store);
      const histories = await Promise.all(jobs.map(({ jobId }) => store.transitionsOf(jobId)));
      const counted = (event: string): number => histories.flat().filter((step) => step.event === event).length;
      expect(counted('INTERRUPT'), 'attempts lost').to.be.at.most(report.childKills);
      const results = jobs.flatMap(({ jobId, status }) => (status === 'completed' ? [resultsPathOf(jobId)] : []));
      const texts = new Set(await Promise.all(results.map((path) => readFile(join(baseDir, path), 'utf8'))));
      expect(texts.size, 'different results of one video').to.equal(1);
      console.log(
        `      ${[...report.disturbances].map(([name, times]) => `${times} x ${name}`).join(', ')}; ` +
          `${jobs.length} jobs, ${counted('RELEASE')} released, ${counted('INTERRUPT')} interrupted by ` +
          `${report.childKills} killed children; refused: ${JSON.stringify(Object.fromEntries(report.refusals))}`,
      );
    } finally {
      await store.close();
    }
  }).timeout(SECONDS * 1_000 + 500_000);
});
