import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { expireFiles } from '../../src/engine/retention.ts';
import { resultsPathOf, sidecarPathOf } from '../../src/engine/sidecar.ts';
import { ServiceError } from '../../src/errors.ts';
import type { JobId } from '../../src/job.ts';
import { jobIn } from '../job-in.ts';
import { keptLog } from '../kept-log.ts';
import { EngineHarness } from './engine-harness.ts';
import { keeping } from './keeping.ts';

function damageRow(harness: EngineHarness, jobId: JobId, change: string): Promise<void> {
  return changeDatabase(harness, `UPDATE jobs SET ${change} WHERE job_id = '${jobId}'`);
}

async function changeDatabase(harness: EngineHarness, sql: string): Promise<void> {
  await harness.store.close();
  const database = await DuckDBInstance.create(join(harness.folder, 'jobs.duckdb'));
  const connection = await database.connect();
  await connection.run(sql);
  connection.closeSync();
  database.closeSync();
}

/** Reading it fails, and replacing it does not. */
async function damageSidecar(harness: EngineHarness, jobId: JobId): Promise<void> {
  const path = join(harness.folder, 'video_jobs', sidecarPathOf(jobId));
  await rm(path);
  await symlink(sidecarPathOf(jobId), path);
  await harness.store.close();
}

interface Poison {
  readonly what: string;
  readonly put: (harness: EngineHarness, jobId: JobId) => Promise<void>;
}

const OF_ROWS: readonly Poison[] = [
  'options = \'{"frame_stride":0}\'',
  "options = 'no JSON'",
  "snapshot = 'no JSON'",
].map((change) => ({ what: `row has ${change}`, put: (harness, jobId) => damageRow(harness, jobId, change) }));

describe('a job that cannot be read affects only itself', () => {
  for (const { what, put } of OF_ROWS) {
    for (const state of ['pending', 'running'] as const) {
      it(`when it is ${state} and its ${what}: it fails, is logged, and the others go on`, async () => {
        const before = await EngineHarness.open();
        const [bad, ...sound] = [await before.submit(), await before.submit(), await before.submit()];
        if (bad === undefined) throw new Error('three jobs were submitted');
        if (state === 'running') await before.engine.start(bad.jobId);
        await put(before, bad.jobId);
        const { log, lines } = keptLog();
        await using after = await EngineHarness.open({ folder: before.folder, log });
        await after.recover();
        while (await after.worker().runOnce());
        for (const { jobId } of sound) expect((await jobIn(after.store, jobId)).status).to.equal('completed');
        const failed = await jobIn(after.store, bad.jobId);
        expect(failed).to.include({ status: 'failed', errorCode: 'internal' });
        expect(failed.errorMessage).to.contain('cannot be read');
        expect((await after.store.transitionsOf(bad.jobId)).map(({ seq, event }) => `${seq} ${event}`)).to.deep.equal(
          state === 'pending' ? ['1 SUBMIT', '2 FAIL'] : ['1 SUBMIT', '2 START', '3 FAIL'],
        );
        const errors = lines.filter(({ level }) => level === 'error');
        expect(errors.map(({ job_id: jobId }) => jobId)).to.deep.equal([bad.jobId, bad.jobId]);
        await after.engine.deleteFiles(bad.jobId);
        await after.engine.submit(await after.upload());
      });
    }
  }

  for (const state of ['pending', 'running'] as const) {
    it(`when it is ${state} and its sidecar cannot be read: its row is taken as it is, and the others go on`, async () => {
      const before = await EngineHarness.open();
      const [bad, other] = [await before.submit(), await before.submit()];
      if (state === 'running') await before.engine.start(bad.jobId);
      await damageSidecar(before, bad.jobId);
      await using after = await EngineHarness.open({ folder: before.folder });
      await after.recover();
      while (await after.worker().runOnce());
      await after.keepHouse();
      expect((await jobIn(after.store, other.jobId)).status).to.equal('completed');
      expect((await jobIn(after.store, bad.jobId)).status).to.equal('completed');
    });
  }

  it('in lists, which leave it out and fill their page', async () => {
    const before = await EngineHarness.open();
    const jobs = [await before.submit(), await before.submit(), await before.submit()];
    const [first, second, third] = jobs.map(({ jobId }) => jobId);
    if (second === undefined) throw new Error('three jobs were submitted');
    await damageRow(before, second, "options = 'no JSON'");
    await using after = await EngineHarness.open({ folder: before.folder });
    const listed = await after.store.newest({}, 2);
    expect(listed.map(({ jobId }) => jobId)).to.deep.equal([third, first]);
    expect(await after.store.countByStatus()).to.include({ pending: 3 });
    const asked = [first, second, third].map((jobId) =>
      jobIn(after.store, jobId ?? second).then(
        () => 'read',
        (error: unknown) => (error instanceof ServiceError ? error.code : error),
      ),
    );
    expect(await Promise.all(asked)).to.deep.equal(['read', 'job_unreadable', 'read']);
  });

  it('in the database, with a state that does not exist: nothing else is hidden, and its files are kept', async () => {
    const before = await EngineHarness.open();
    const [bad, other] = [await before.submit(), await before.submit()];
    await damageRow(before, bad.jobId, "status = 'dancing'");
    await using after = await EngineHarness.open({ folder: before.folder });
    await after.recover();
    await after.keepHouse();
    while (await after.worker().runOnce());
    expect((await jobIn(after.store, other.jobId)).status).to.equal('completed');
    expect(await after.store.countByStatus()).to.deep.equal({ pending: 0, running: 0, completed: 1, failed: 0 });
    expect(await after.storage.loadFile(bad.inputPath)).to.contain(bad.jobId);
  });

  it('when its files cannot be deleted: those of the others are', async () => {
    await using harness = await EngineHarness.open();
    const [bad, other] = [await harness.submit(), await harness.submit()];
    while (await harness.worker().runOnce());
    const results = join(harness.folder, 'video_jobs', `${bad.jobId}_results.json`);
    await rm(results);
    await mkdir(results);
    const { log, lines } = keptLog();
    const options = keeping(harness, log, new AbortController().signal);
    const endedBefore = new Date(Date.now() + 1_000);
    expect(await expireFiles({ ...options, endedBefore })).to.equal(1);
    expect((await jobIn(harness.store, other.jobId)).expiredAt).to.be.a('string');
    expect(lines.filter(({ level }) => level === 'error').map(({ job_id: jobId }) => jobId)).to.deep.equal([bad.jobId]);
  });
});

describe('a job that cannot be written affects only itself', () => {
  const LARGEST_INTEGER = 2 ** 31 - 1;

  it('when it cannot be started: it fails, and the others go on', async () => {
    const before = await EngineHarness.open();
    const [bad, sound] = [await before.submit(), await before.submit()];
    const snapshot = JSON.stringify({
      value: 'pending',
      context: { ...JSON.parse(bad.snapshot).context, attempt: LARGEST_INTEGER },
    });
    await damageRow(before, bad.jobId, `attempt = ${LARGEST_INTEGER}, snapshot = '${snapshot}'`);
    const { log, lines } = keptLog();
    await using after = await EngineHarness.open({ folder: before.folder, log });
    await after.recover();
    while (await after.worker().runOnce());
    expect(await jobIn(after.store, sound.jobId)).to.include({ status: 'completed' });
    const failed = await jobIn(after.store, bad.jobId);
    expect(failed).to.include({ status: 'failed', errorCode: 'internal' });
    expect(failed.errorMessage).to.contain('rejects the data of this job');
    const errors = lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ job_id: jobId }) => jobId)).to.deep.equal([bad.jobId, bad.jobId]);
    expect(await after.store.countByStatus()).to.include({ pending: 0, running: 0 });
  });

  it('when its outcome cannot be recorded: it fails, and the others end as they would have', async () => {
    const before = await EngineHarness.open();
    const [bad, broken] = [await before.submit(), await before.submit()];
    // The results of a completed job have a path here that does not fit this column.
    await changeDatabase(before, 'ALTER TABLE jobs ALTER COLUMN output_path TYPE INTEGER');
    await using after = await EngineHarness.open({ folder: before.folder });
    await after.recover();
    await after.worker().runOnce();
    const failed = await jobIn(after.store, bad.jobId);
    expect(failed).to.include({ status: 'failed', errorCode: 'internal' });
    expect(failed.errorMessage).to.contain('rejects the data of this job');
    expect(await readdir(join(after.folder, 'video_jobs'))).to.not.include(resultsPathOf(bad.jobId));
    after.pipelines.script = async function* () {
      throw new ServiceError('invalid_video', 'no video track');
    };
    await after.worker().runOnce();
    expect(await jobIn(after.store, broken.jobId)).to.include({ status: 'failed', errorCode: 'invalid_video' });
  });

  it('when not even its failure can be written: it is left alone, and the others go on', async () => {
    const before = await EngineHarness.open();
    const [bad, sound] = [await before.submit(), await before.submit()];
    await damageRow(before, bad.jobId, `revision = ${LARGEST_INTEGER}`);
    const { log, lines } = keptLog();
    await using after = await EngineHarness.open({ folder: before.folder, log });
    await after.recover();
    while (await after.worker().runOnce());
    expect(await jobIn(after.store, sound.jobId)).to.include({ status: 'completed' });
    expect(await jobIn(after.store, bad.jobId)).to.include({ status: 'pending' });
    expect(lines.map(({ msg }) => msg)).to.include('job cannot be failed and stays unchanged');
  });
});
