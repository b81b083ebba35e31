import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { transitionOf } from '../../src/engine/job-change.ts';
import { keepHouse } from '../../src/engine/housekeeping.ts';
import { readSidecar, sidecarPathOf } from '../../src/engine/sidecar.ts';
import { restoreSnapshot } from '../../src/engine/snapshot.ts';
import type { Step } from '../../src/engine/step.ts';
import type { Job, JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import type { LocalStorageService } from '../../src/storage/local.ts';
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
  it('are deleted when their time is over, those of all other jobs are kept, and the looking ends when told', async () => {
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
    expect(await filesOf(harness, young.jobId)).to.have.lengthOf(3);
    expect(await filesOf(harness, waiting.jobId)).to.have.lengthOf(2);
  });

  it('deleted in the moment in which the job ends: the sidecar says so, whoever was quicker to write it', async () => {
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
