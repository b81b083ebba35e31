import { expect } from 'chai';
import { ServiceError } from '../../src/errors.ts';
import type { FrameResult } from '../../src/job.ts';
import { RETRY_DELAYS } from '../../src/engine/retry-delay.ts';
import { Workers } from '../../src/engine/workers.ts';
import { InMemoryQueueService } from '../../src/queue/memory.ts';
import { keptLog } from '../kept-log.ts';
import { EngineHarness, untilAborted } from './engine-harness.ts';

/** A queue that kills this many workers. */
class BreakingQueue extends InMemoryQueueService {
  breaks: number;

  constructor(breaks: number) {
    super();
    this.breaks = breaks;
  }

  override onWork(wake: () => void): () => void {
    if (this.breaks > 0) {
      this.breaks -= 1;
      throw new Error('the queue broke');
    }
    return super.onWork(wake);
  }
}

describe('the workers', () => {
  const workersOf = (
    harness: EngineHarness,
    options: { readonly count: number; readonly queue?: InMemoryQueueService; readonly restartAfter?: () => number },
  ) => {
    const { log, lines } = keptLog();
    const { engine, queue, storage, pipelines } = harness;
    const parts = { engine, queue, storage, pipelines, log };
    return { workers: new Workers({ ...parts, jobTimeoutMs: 60_000, maxResultsBytes: 1e9, ...options }), lines };
  };

  const completed = (harness: EngineHarness): Promise<void> =>
    new Promise((resolve) => {
      harness.engine.onTransition((_job, { toState }) => {
        if (toState === 'completed') resolve();
      });
    });

  it('that die are replaced; the others and the process continue', async () => {
    const queue = new BreakingQueue(1);
    await using harness = await EngineHarness.open({ queue });
    const { workers, lines } = workersOf(harness, { count: 2, queue, restartAfter: () => 1 });
    const ended = workers.run();
    const done = completed(harness);
    await harness.submit();
    await done;
    workers.drain();
    await ended;
    expect(lines.filter(({ level }) => level === 'fatal')).to.have.lengthOf(1);
    expect(workers.dead).to.equal(0);
  });

  it('that died are counted until they are replaced; a drain does not wait for this', async () => {
    const queue = new BreakingQueue(1);
    await using harness = await EngineHarness.open({ queue });
    const { workers } = workersOf(harness, { count: 1, queue, restartAfter: () => 1e6 });
    const ended = workers.run();
    while (workers.dead === 0) await new Promise(setImmediate);
    expect(workers.dead).to.equal(1);
    workers.drain();
    await ended;
    expect(workers.dead).to.equal(0);
  });

  it('that die with a job interrupt it, and their successors start it again', async () => {
    await using harness = await EngineHarness.open();
    const { script } = harness.pipelines;
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      harness.pipelines.script = script;
      throw new ServiceError('storage_unavailable', 'no disk', { retryable: true });
    };
    const fatal: unknown[] = [];
    // The log of a refusal is an action of the machine: if it throws, the machine does too.
    const { log } = keptLog(({ level, msg }) => {
      if (level === 'fatal') fatal.push(msg);
      if (msg === 'refused by the environment; tried again after a pause') throw new Error('the log broke');
    });
    const { engine, queue, storage, pipelines } = harness;
    const parts = { engine, queue, storage, pipelines, log, jobTimeoutMs: 60_000, maxResultsBytes: 1e9 };
    const workers = new Workers({ ...parts, count: 1, restartAfter: () => 1 });
    const ended = workers.run();
    const done = completed(harness);
    const { jobId } = await harness.submit();
    await done;
    workers.drain();
    await ended;
    const events = (await harness.store.transitionsOf(jobId)).map(({ event }) => event);
    expect(events).to.deep.equal(['SUBMIT', 'START', 'INTERRUPT', 'START', 'COMPLETE']);
    expect(fatal).to.deep.equal(['a worker died; it is replaced after a pause']);
  });

  it('give their jobs back when halted', async () => {
    await using harness = await EngineHarness.open();
    harness.pipelines.script = untilAborted;
    const jobs = [await harness.submit(), await harness.submit()];
    const { workers } = workersOf(harness, { count: 2 });
    const ended = workers.run();
    while (harness.pipelines.started.length < 2) await new Promise(setImmediate);
    expect(workers.states()).to.deep.equal(jobs.map(() => ({ intake: 'open', work: 'analysing' })));
    workers.halt();
    await ended;
    for (const { jobId } of jobs) expect(await harness.store.get(jobId)).to.include({ status: 'pending' });
    expect(workers.refusals()).to.deep.equal([]);
  });
});

describe('the delay before a retry', () => {
  it('is none after the first loss, then doubles from a second to a minute', () => {
    const { afterLosses } = RETRY_DELAYS;
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map((losses) => afterLosses(losses) / 1_000)).to.deep.equal([
      0, 1, 2, 4, 8, 16, 32, 60, 60, 60,
    ]);
  });

  it('is none after five releases, then twice the pause of the worker', () => {
    const { afterReleases } = RETRY_DELAYS;
    expect([1, 5, 6, 7, 8, 100].map((releases) => afterReleases(releases) / 1_000)).to.deep.equal([
      0, 0, 64, 120, 120, 120,
    ]);
  });
});
