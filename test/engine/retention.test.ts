import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { transitionOf } from '../../src/engine/job-change.ts';
import { keepHouse } from '../../src/engine/housekeeping.ts';
import { emptyQuarantine, forgetJobs } from '../../src/engine/retention.ts';
import { readSidecar, sidecarPathOf } from '../../src/engine/sidecar.ts';
import { restoreSnapshot } from '../../src/engine/snapshot.ts';
import type { Step } from '../../src/engine/step.ts';
import { ServiceError } from '../../src/errors.ts';
import type { Job, JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import type { LocalStorageService } from '../../src/storage/local.ts';
import type { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { EngineHarness } from './engine-harness.ts';
import { jobIn } from '../job-in.ts';

const HOUR_MS = 3_600_000;

async function filesOf({ folder }: EngineHarness, jobId: JobId): Promise<readonly string[]> {
  const names = await readdir(join(folder, 'video_jobs'));
  return names.filter((name) => name.startsWith(jobId)).toSorted();
}

async function completed(harness: EngineHarness): Promise<Job> {
  const { jobId } = await harness.submit();
  await harness.worker().runOnce();
  return jobIn(harness.store, jobId);
}

async function* aByte(): AsyncGenerator<string> {
  yield 'x';
}

describe('the files of jobs that have ended', () => {
  it('are deleted after their retention, those of other jobs are kept, and the work ends with the signal', async () => {
    const told = new AbortController();
    const onStep = (step: Step): void => {
      if (step === 'expire: input deleted') told.abort();
    };
    await using harness = await EngineHarness.open({ onStep });
    const { engine, store, storage, queue } = harness;
    const old = await completed(harness);
    const young = await completed(harness);
    const waiting = await harness.submit();
    const updatedAt = new Date(Date.now() - HOUR_MS).toISOString();
    const aged = { ...old, revision: old.revision + 1, updatedAt };
    await store.save(aged, transitionOf(aged, 'running', 'COMPLETE', restoreSnapshot(old)));

    const log = createLog('silent');
    const keeping = { store, storage, queue, engine, recovery: harness.recovery, log, signal: told.signal, onStep };
    await keepHouse({ ...keeping, retentionMs: HOUR_MS / 2 });
    expect(await filesOf(harness, old.jobId)).to.deep.equal([`${old.jobId}.json`]);
    expect((await jobIn(store, old.jobId)).expiredAt).to.be.a('string');
    expect(await filesOf(harness, young.jobId)).to.have.lengthOf(5);
    expect(await filesOf(harness, waiting.jobId)).to.have.lengthOf(2);
  });

  it('deleted while the job ends are marked in the sidecar, in either order of the writes', async () => {
    let marked: () => void = () => expect.fail('deleted before it ended');
    const isMarked = new Promise<void>((resolve) => {
      marked = resolve;
    });
    await using harness = await EngineHarness.open({
      onStep: (step) => {
        if (step === 'expire: committed') marked();
      },
    });
    const { engine, storage } = harness;
    const { jobId } = await harness.submit();
    await engine.start(jobId);
    const slow: Pick<LocalStorageService, 'saveFile'> = storage;
    const save = storage.saveFile.bind(storage);
    slow.saveFile = async (source, path, options) => {
      slow.saveFile = save;
      await isMarked;
      // Twenty files take longer than the one that might overtake this one.
      for (let n = 0; n < 20; n += 1) await save(aByte(), `other/${n}`);
      return save(source, path, options);
    };
    const ending = engine.cancel(jobId);
    while ((await jobIn(harness.store, jobId)).status !== 'failed');
    const { deletedAt } = await engine.deleteFiles(jobId);
    await ending;
    expect(await readSidecar(storage, jobId)).to.include({ expired_at: deletedAt });
    expect(await filesOf(harness, jobId)).to.deep.equal([sidecarPathOf(jobId)]);
  });
});

describe('a job beyond its retention', () => {
  /** Calls `forgetJobs` like the service, with a time in the future, so that every finished job is old. */
  const forget = (harness: EngineHarness) => {
    const { store, storage } = harness;
    const endedBefore = new Date(Date.now() + 1_000);
    return forgetJobs({ store, storage, log: createLog('silent'), signal: new AbortController().signal, endedBefore });
  };

  it('is deleted with row, history, key and files, and no other job is changed', async () => {
    await using harness = await EngineHarness.open();
    const { job } = await harness.submitOnce('a key');
    await harness.worker().runOnce();
    const expired = await completed(harness);
    await harness.engine.deleteFiles(expired.jobId);
    const waiting = await harness.submit();
    expect(await forget(harness)).to.equal(2);
    for (const { jobId } of [job, expired]) {
      expect(await harness.store.get(jobId)).to.equal(undefined);
      expect(await harness.store.transitionsOf(jobId)).to.deep.equal([]);
      expect(await filesOf(harness, jobId)).to.deep.equal([]);
    }
    expect((await harness.submitOnce('a key')).replayed).to.equal(false);
    expect(await jobIn(harness.store, waiting.jobId)).to.deep.equal(waiting);
    expect(await filesOf(harness, waiting.jobId)).to.have.lengthOf(2);
    await harness.keepHouse();
    expect(await harness.store.get(job.jobId)).to.equal(undefined);
  });

  it('is deleted at the next attempt if its row could not be deleted', async () => {
    await using harness = await EngineHarness.open();
    const { jobId } = await completed(harness);
    const store: Pick<DuckDBJobStore, 'forget'> = harness.store;
    const really = harness.store.forget.bind(harness.store);
    store.forget = () => Promise.reject(new ServiceError('store_unavailable', 'injected'));
    await forget(harness).catch(() => undefined);
    expect(await filesOf(harness, jobId)).to.deep.equal([]);
    expect((await jobIn(harness.store, jobId)).status).to.equal('completed');
    store.forget = really;
    expect(await forget(harness)).to.equal(1);
    expect(await harness.store.get(jobId)).to.equal(undefined);
  });
});

describe('the quarantine', () => {
  it('loses files beyond their retention, and nothing else', async () => {
    await using harness = await EngineHarness.open();
    const { storage } = harness;
    for (const folder of ['2026-01-02T03-04-05.678Z', '2026-03-02T03-04-05.678Z', 'my-own']) {
      await storage.saveFile(aByte(), `quarantine/${folder}/x.mp4`);
    }
    const endedBefore = new Date('2026-02-01T00:00:00Z');
    const { signal } = new AbortController();
    await emptyQuarantine({ storage, log: createLog('silent'), signal, endedBefore });
    expect((await storage.foldersIn('quarantine')).toSorted()).to.deep.equal(['2026-03-02T03-04-05.678Z', 'my-own']);
    expect(await storage.foldersIn('none')).to.deep.equal([]);
    await storage.deleteFolder('none');
  });
});
