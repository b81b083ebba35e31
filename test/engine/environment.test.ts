import { mkdir, rm } from 'node:fs/promises';
import { expect } from 'chai';
import { ServiceError } from '../../src/errors.ts';
import type { FrameResult } from '../../src/job.ts';
import { keptLog } from '../kept-log.ts';
import { EngineHarness } from './engine-harness.ts';

/** Resolves when a worker has entered this state. */
function until(worker: ReturnType<EngineHarness['worker']>, work: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (worker.snapshot()?.value.work === work) resolve();
      else setTimeout(look, 5).unref();
    };
    look();
  });
}

describe('an environment that refuses', () => {
  const interruptions = async ({ store }: EngineHarness, jobId: Parameters<typeof store.get>[0]) =>
    JSON.parse((await store.get(jobId))?.snapshot ?? '').context.interruptions;

  it('spends no attempt, is reported, and work goes on by itself', async () => {
    const { log, lines } = keptLog();
    await using harness = await EngineHarness.open({ log, maxAttempts: 1 });
    const jobs = [await harness.submit(), await harness.submit(), await harness.submit()];
    await rm(harness.storage.incomingDir, { recursive: true });
    const worker = harness.worker();
    const ended = worker.runForever();
    await until(worker, 'pausing');
    expect(worker.refusal()).to.deep.equal({
      step: 'analyse',
      code: 'storage_unavailable',
      message: `the storage cannot save ${jobs[0]?.jobId}_results.json now (ENOENT)`,
      refusals: 1,
    });
    expect(harness.queue.size()).to.equal(3);
    await mkdir(harness.storage.incomingDir);
    const last = new Promise<void>((resolve) => {
      harness.engine.onTransition(({ jobId }, { toState }) => {
        if (jobId === jobs[2]?.jobId && toState === 'completed') resolve();
      });
    });
    await last;
    worker.drain();
    await ended;
    expect(worker.refusal()).to.equal(undefined);
    for (const { jobId } of jobs) {
      expect(await harness.store.get(jobId)).to.include({ status: 'completed' });
      expect(await interruptions(harness, jobId)).to.equal(0);
    }
    const order = harness.pipelines.started.map((path) => path.slice(-40, -4));
    expect(order).to.deep.equal([jobs[0], ...jobs].map((job) => job?.jobId));
    expect(lines.filter(({ msg }) => msg === 'refused by the environment; tried again after a pause')).to.deep.equal([
      {
        level: 'warn',
        job_id: jobs[0]?.jobId,
        step: 'analyse',
        refusals: 1,
        reason: `the storage cannot save ${jobs[0]?.jobId}_results.json now (ENOENT)`,
        msg: 'refused by the environment; tried again after a pause',
      },
    ]);
  });

  it('also between START and the analysis, gives the job back', async () => {
    await using harness = await EngineHarness.open();
    const { jobId } = await harness.submit();
    const { engine } = harness;
    const inHand = engine.inHand.bind(engine);
    engine.onTransition((_job, { event }) => {
      if (event !== 'START') return;
      engine.inHand = () => {
        engine.inHand = inHand;
        return Promise.reject(new ServiceError('store_unavailable', 'disk full', { retryable: true }));
      };
    });
    await harness.worker().runOnce();
    expect(await harness.store.get(jobId)).to.include({ status: 'pending', attempt: 1 });
    expect(await interruptions(harness, jobId)).to.equal(0);
  });

  it('by a process that cannot be started, gives the job back', async () => {
    await using harness = await EngineHarness.open();
    const { jobId } = await harness.submit();
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      throw new ServiceError('child_unavailable', 'no process can be started', { retryable: true });
    };
    await harness.worker().runOnce();
    expect(await interruptions(harness, jobId)).to.equal(0);
    expect(harness.queue.dequeue()).to.equal(jobId);
  });

  it('is no verdict on an unknown error: that spends an attempt', async () => {
    await using harness = await EngineHarness.open({ maxAttempts: 2 });
    const { jobId } = await harness.submit();
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      throw new TypeError("cannot read '/srv/data/x'");
    };
    await harness.worker().runOnce();
    expect(await harness.store.get(jobId)).to.include({ status: 'pending' });
    expect(await interruptions(harness, jobId)).to.equal(1);
    await harness.worker().runOnce();
    const job = await harness.store.get(jobId);
    expect(job).to.include({ status: 'failed', errorCode: 'internal' });
    expect(job?.errorMessage).to.equal('interrupted 2 times, no attempt left: cannot read …');
  });
});

describe('a job that lost attempts', () => {
  it('is taken up at once after the first, and later and later after the others, while other jobs go on', async () => {
    const asked: number[] = [];
    await using harness = await EngineHarness.open({
      maxAttempts: 4,
      delayAfter: (losses) => {
        asked.push(losses);
        return losses < 2 ? 0 : 60_000;
      },
    });
    const lost = await harness.submit();
    const other = await harness.submit();
    const { script } = harness.pipelines;
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      throw new ServiceError('stalled', 'no frame', { retryable: true });
    };
    await harness.worker().runOnce();
    await harness.worker().runOnce();
    expect(await harness.store.get(lost.jobId)).to.include({ status: 'pending', attempt: 2 });
    harness.pipelines.script = script;
    expect(await harness.worker().runOnce()).to.equal(true);
    expect(await harness.store.get(other.jobId)).to.include({ status: 'completed' });
    expect(await harness.worker().runOnce()).to.equal(false);
    expect(harness.queue.size()).to.equal(1);
    expect(asked).to.deep.equal([1, 2]);
  });
});
