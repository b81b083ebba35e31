import { expect } from 'chai';
import { recover } from '../../src/engine/recovery.ts';
import { inputPathOf, resultsPathOf } from '../../src/engine/sidecar.ts';
import type { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { keptLog } from '../kept-log.ts';
import { EngineHarness } from './engine-harness.ts';
import { aSidecar, completion, keeping, newId, put, putSidecar } from './keeping.ts';
import { jobIn } from '../job-in.ts';

async function recovered(harness: EngineHarness, { damaged = false } = {}): Promise<readonly unknown[]> {
  const { log, lines } = keptLog();
  await recover({ ...keeping(harness, log, new AbortController().signal), damaged });
  return lines;
}

describe('the recovery at a start', () => {
  it('counts pending and interrupted jobs', async () => {
    const before = await EngineHarness.open();
    const running = await before.submit();
    for (let n = 0; n < 2; n += 1) await before.submit();
    await before.engine.start(running.jobId);
    await using after = await before.reopen();
    expect(await recovered(after)).to.deep.equal([
      { level: 'info', waiting: 2, interrupted: 1, msg: 'jobs recovered' },
    ]);
    expect(after.queue.size()).to.equal(3);
  });

  it('reads no files if the database is intact', async () => {
    await using harness = await EngineHarness.open();
    const jobId = newId();
    await putSidecar(harness, aSidecar(jobId));
    await put(harness, inputPathOf(jobId));
    expect(await recovered(harness)).to.deep.equal([
      { level: 'info', waiting: 0, interrupted: 0, msg: 'jobs recovered' },
    ]);
    expect(await harness.store.get(jobId)).to.equal(undefined);
  });

  it('restores the jobs of a damaged database before it counts, logs it, and queues each once', async () => {
    await using harness = await EngineHarness.open();
    const jobId = newId();
    await putSidecar(harness, aSidecar(jobId));
    await put(harness, inputPathOf(jobId));
    expect(await recovered(harness, { damaged: true })).to.deep.equal([
      { level: 'error', msg: 'the database is damaged: its jobs are reconciled with their sidecars' },
      { level: 'warn', job_id: jobId, status: 'pending', msg: 'job restored from its sidecar' },
      { level: 'info', waiting: 1, interrupted: 0, msg: 'jobs recovered' },
    ]);
    expect([harness.queue.dequeue(), harness.queue.dequeue()]).to.deep.equal([jobId, undefined]);
  });

  it('interrupts no job whose sidecar has an outcome', async () => {
    const before = await EngineHarness.open();
    const { jobId } = await before.submit();
    await before.engine.start(jobId);
    await putSidecar(before, aSidecar(jobId, { outcome: completion(jobId) }));
    await put(before, resultsPathOf(jobId));
    await using after = await before.reopen();
    expect(await recovered(after)).to.deep.equal([
      { level: 'info', waiting: 0, interrupted: 0, msg: 'jobs recovered' },
    ]);
    expect((await jobIn(after.store, jobId)).status).to.equal('completed');
    expect(after.queue.size()).to.equal(0);
  });

  it('gives the reason why the last attempt of a job was lost', async () => {
    const before = await EngineHarness.open({ maxAttempts: 1 });
    const { jobId } = await before.submit();
    await before.engine.start(jobId);
    await using after = await before.reopen({ maxAttempts: 1 });
    await recovered(after);
    const { errorMessage } = await jobIn(after.store, jobId);
    expect(errorMessage).to.match(/no attempt left: the service stopped while the job was running$/);
  });

  it('interrupts every running job, for any number of jobs', async () => {
    const before = await EngineHarness.open();
    const jobIds = Array.from({ length: 101 }, newId);
    await Promise.all(jobIds.map((jobId) => before.recovery.restore(aSidecar(jobId))));
    await Promise.all(jobIds.map((jobId) => before.engine.start(jobId)));
    await using after = await before.reopen();
    expect(await recovered(after)).to.deep.equal([
      { level: 'info', waiting: 0, interrupted: 101, msg: 'jobs recovered' },
    ]);
    expect(jobIds.map(() => after.queue.dequeue())).to.deep.equal(jobIds);
    expect(await after.store.countByStatus()).to.include({ pending: 101, running: 0 });
  });

  it('reads one page of each if one holds all', async () => {
    await using harness = await EngineHarness.open();
    const running = await harness.submit();
    await harness.submit();
    await harness.engine.start(running.jobId);
    const asked: string[] = [];
    const store: Pick<DuckDBJobStore, 'placesIn'> = harness.store;
    const placesIn = harness.store.placesIn.bind(harness.store);
    store.placesIn = (status, after, limit) => {
      asked.push(status);
      return placesIn(status, after, limit);
    };
    await recovered(harness);
    expect(asked).to.deep.equal(['pending', 'running']);
  });

  it('queues every pending job once and in order of acceptance, for any number of jobs', async () => {
    await using harness = await EngineHarness.open();
    const jobIds = Array.from({ length: 10_001 }, newId);
    await Promise.all(jobIds.map((jobId) => harness.recovery.restore(aSidecar(jobId))));
    expect(await recovered(harness)).to.deep.equal([
      { level: 'info', waiting: 10_001, interrupted: 0, msg: 'jobs recovered' },
    ]);
    expect(harness.queue.size()).to.equal(10_001);
    expect(jobIds.map(() => harness.queue.dequeue())).to.deep.equal(jobIds);
  });
});
