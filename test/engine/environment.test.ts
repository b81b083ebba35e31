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

  it('costs no attempt, is reported, and work continues by itself', async () => {
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

  it('between START and the analysis, gives the job back', async () => {
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

  it('does not include unknown errors, which cost an attempt', async () => {
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
  const stalling = async function* (): AsyncGenerator<FrameResult> {
    throw new ServiceError('stalled', 'no frame', { retryable: true });
  };
  /** Two jobs, the first of which lost two attempts and waits this long for its third. */
  const withDelayedJob = async (delayMs: number, asked: number[] = []) => {
    const harness = await EngineHarness.open({
      maxAttempts: 4,
      retryDelays: {
        afterLosses: (losses) => {
          asked.push(losses);
          return losses < 2 ? 0 : delayMs;
        },
      },
    });
    const delayed = await harness.submit();
    const later = await harness.submit();
    const { script } = harness.pipelines;
    harness.pipelines.script = stalling;
    await harness.worker().runOnce();
    await harness.worker().runOnce();
    expect(await harness.store.get(delayed.jobId)).to.include({ status: 'pending', attempt: 2 });
    harness.pipelines.script = script;
    return { harness, delayed: delayed.jobId, later: later.jobId };
  };
  const starts = (harness: EngineHarness): string[] => {
    const started: string[] = [];
    harness.engine.onTransition(({ jobId }, { event }) => {
      if (event === 'START') started.push(jobId);
    });
    return started;
  };

  it('restarts at once after the first loss, then after growing delays, always before any later job', async () => {
    const asked: number[] = [];
    const { harness, delayed, later } = await withDelayedJob(1, asked);
    await using _ = harness;
    const started = starts(harness);
    while (await harness.worker().runOnce());
    expect(started).to.deep.equal([delayed, later]);
    expect(asked).to.deep.equal([1, 2]);
  });

  it('keeps its place with several workers, each of which waits for it', async () => {
    const { harness, delayed, later } = await withDelayedJob(50);
    await using _ = harness;
    const started = starts(harness);
    const workers = [harness.worker(), harness.worker()];
    const ends = workers.map((worker) => worker.runForever());
    await Promise.all(workers.map((worker) => until(worker, 'resting')));
    expect(started).to.deep.equal([]);
    while (started.length < 2) await new Promise(setImmediate);
    for (const worker of workers) worker.drain();
    await Promise.all(ends);
    expect(started).to.deep.equal([delayed, later]);
  });

  it('that is cancelled while it waits lets the next one start at once', async () => {
    const { harness, delayed, later } = await withDelayedJob(1e6);
    await using _ = harness;
    const worker = harness.worker();
    const step = worker.runOnce();
    await harness.engine.cancel(delayed);
    expect(await step).to.equal(true);
    expect(await harness.store.get(later)).to.include({ status: 'completed' });
    expect(harness.queue.size()).to.equal(0);
  });

  for (const stop of ['drain', 'halt'] as const) {
    it(`that waits does not delay a ${stop}`, async () => {
      const { harness, delayed } = await withDelayedJob(1e6);
      await using _ = harness;
      const [running, single] = [harness.worker(), harness.worker()];
      const ended = running.runForever();
      const step = single.runOnce();
      await until(running, 'resting');
      running[stop]();
      single[stop]();
      await ended;
      expect(await step).to.equal(false);
      expect(await harness.store.get(delayed)).to.include({ status: 'pending', attempt: 2 });
    });
  }

  it('waits after a restart for the rest of its delay, before any later job', async () => {
    const { harness, delayed, later } = await withDelayedJob(1e6);
    await using after = await harness.reopen({ retryDelays: { afterLosses: () => 1e6 } });
    await after.recover();
    expect(after.queue.size()).to.equal(2);
    expect(after.queue.dequeue()).to.equal(undefined);
    after.queue.removeDelayed(delayed);
    expect(after.queue.dequeue()).to.equal(later);
  });
});

describe('a job that the environment refuses repeatedly', () => {
  it('lets others start after enough refusals', async () => {
    await using harness = await EngineHarness.open({ retryDelays: { afterReleases: (n) => (n < 3 ? 0 : 1e6) } });
    const refused = await harness.submit();
    const later = await harness.submit();
    const { script } = harness.pipelines;
    const seen: string[] = [];
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      seen.push('refused');
      if (seen.length === 3) harness.pipelines.script = script;
      throw new ServiceError('storage_full', 'no room', { retryable: true });
    };
    for (let step = 0; step < 4; step += 1) await harness.worker().runOnce();
    expect(seen).to.have.lengthOf(3);
    expect(await harness.store.get(refused.jobId)).to.include({ status: 'pending', attempt: 3 });
    expect(await harness.store.get(later.jobId)).to.include({ status: 'completed' });
    await harness.engine.cancel(refused.jobId);
    expect(harness.queue.size()).to.equal(0);
  });
});
