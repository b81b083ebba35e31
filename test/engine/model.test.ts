import { cp } from 'node:fs/promises';
import { openResults } from '../../src/engine/job-files.ts';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  assert,
  asyncModelRun,
  asyncProperty,
  commands as courses,
  constant,
  constantFrom,
  nat,
  type AsyncCommand,
} from 'fast-check';
import { expireFiles } from '../../src/engine/retention.ts';
import { isFinal } from '../../src/engine/job-change.ts';
import { ServiceError } from '../../src/errors.ts';
import type { FrameResult, JobId, JobStatus } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import { EngineHarness, quickFolder, twoFrames } from './engine-harness.ts';
import { brokenPromises } from './promises.ts';
import { jobIn } from '../job-in.ts';

const MAX_ATTEMPTS = 2;
const MAX_PENDING = 4;
const options = { maxAttempts: MAX_ATTEMPTS, maxPending: MAX_PENDING };

interface ModelJob {
  readonly jobId: JobId;
  status: JobStatus;
  interruptions: number;
  expired: boolean;
}

/** The guarantees for a client: a list in order of acceptance. */
class Model {
  readonly jobs: ModelJob[] = [];
  /** The job of each idempotency key. */
  readonly keyed = new Map<number, ModelJob>();

  waiting(): readonly ModelJob[] {
    return this.jobs.filter(({ status }) => status === 'pending');
  }

  /** The job that must start next. */
  next(): ModelJob | undefined {
    return this.waiting()[0];
  }

  interrupt(job: ModelJob): void {
    job.interruptions += 1;
    job.status = job.interruptions < MAX_ATTEMPTS ? 'pending' : 'failed';
  }
}

/** The real system; a restart replaces the harness. */
interface Real {
  harness: EngineHarness;
}

type Command = AsyncCommand<Model, Real>;

const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof ServiceError ? error.code : error),
  );

async function expectSame(model: Model, { harness }: Real): Promise<void> {
  for (const job of model.jobs) {
    const stored = await jobIn(harness.store, job.jobId);
    expect(stored.status, job.jobId).to.equal(job.status);
    expect(stored.expiredAt !== null, 'expired').to.equal(job.expired);
  }
  expect(await harness.store.countByStatus()).to.include({ pending: model.waiting().length });
}

function command(name: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      await run(model, real);
      await expectSame(model, real);
    },
    toString: () => name,
  };
}

const submit = (): Command =>
  command('submit', async (model, real) => {
    if (model.waiting().length === MAX_PENDING) {
      expect(await codeOf(real.harness.submit())).to.equal('queue_full');
      return;
    }
    const { jobId } = await real.harness.submit();
    model.jobs.push({ jobId, status: 'pending', interruptions: 0, expired: false });
  });

/** A client without a response submits again with the same key, also after a restart. */
const submitKeyed = (name: number): Command =>
  command(`submit under key ${name}`, async (model, { harness }) => {
    const known = model.keyed.get(name);
    if (known === undefined && model.waiting().length === MAX_PENDING) {
      expect(await codeOf(harness.submitOnce(`key ${name}`))).to.equal('queue_full');
      return;
    }
    const { job, replayed } = await harness.submitOnce(`key ${name}`);
    expect(replayed).to.equal(known !== undefined);
    if (known !== undefined) {
      expect(job.jobId).to.equal(known.jobId);
      return;
    }
    const made: ModelJob = { jobId: job.jobId, status: 'pending', interruptions: 0, expired: false };
    model.jobs.push(made);
    model.keyed.set(name, made);
  });

const SCRIPTS = {
  completes: twoFrames,
  fails: async function* (): AsyncGenerator<FrameResult> {
    throw new ServiceError('invalid_video', 'no video track');
  },
  'is interrupted': async function* (): AsyncGenerator<FrameResult> {
    yield { frame_index: 0, result: { timestamp_ms: 0 } };
    throw new ServiceError('stalled', 'no frame', { retryable: true });
  },
};

const work = (course: keyof typeof SCRIPTS): Command =>
  command(`a worker takes one that ${course}`, async (model, { harness }) => {
    harness.pipelines.script = SCRIPTS[course];
    const job = model.next();
    expect(await harness.worker().runOnce()).to.equal(job !== undefined);
    if (job === undefined) return;
    expect(harness.pipelines.started.at(-1)).to.contain(job.jobId);
    if (course === 'is interrupted') model.interrupt(job);
    else job.status = course === 'completes' ? 'completed' : 'failed';
  });

const startOnly = (): Command =>
  command('a worker takes one and is at it', async (model, { harness }) => {
    for (let jobId = harness.queue.dequeue(); jobId !== undefined; jobId = harness.queue.dequeue()) {
      if ((await codeOf(harness.engine.start(jobId))) !== 'done') continue;
      const job = model.next();
      expect(jobId).to.equal(job?.jobId);
      if (job !== undefined) job.status = 'running';
      return;
    }
    expect(model.next()).to.equal(undefined);
  });

const pick = (model: Model, index: number): ModelJob | undefined => model.jobs[index % model.jobs.length];

const cancel = (index: number): Command =>
  command(`cancel ${index}`, async (model, { harness }) => {
    const job = pick(model, index);
    if (job === undefined) return;
    const { errorCode } = await jobIn(harness.store, job.jobId);
    const mayBe = !isFinal(job.status) || errorCode === 'cancelled';
    expect(await codeOf(harness.engine.cancel(job.jobId))).to.equal(mayBe ? 'done' : 'job_conflict');
    if (!isFinal(job.status)) job.status = 'failed';
  });

const deleteFiles = (index: number): Command =>
  command(`delete the files of ${index}`, async (model, { harness }) => {
    const job = pick(model, index);
    if (job === undefined) return;
    const verdict = await codeOf(harness.engine.deleteFiles(job.jobId));
    expect(verdict).to.equal(isFinal(job.status) ? 'done' : 'job_conflict');
    if (isFinal(job.status)) job.expired = true;
  });

const retain = (): Command =>
  command('retention', async (model, { harness }) => {
    const { store, engine } = harness;
    const { signal } = new AbortController();
    await expireFiles({ store, engine, log: createLog('silent'), signal, endedBefore: new Date(Date.now() + 1_000) });
    for (const job of model.jobs) if (isFinal(job.status)) job.expired = true;
  });

const results = (index: number): Command =>
  command(`results of ${index}`, async (model, { harness }) => {
    const job = pick(model, index);
    if (job === undefined) return;
    const verdict = await codeOf(openResults(harness.storage, await jobIn(harness.store, job.jobId)));
    if (job.status !== 'completed') expect(verdict).to.equal('job_not_completed');
    else expect(verdict).to.equal(job.expired ? 'results_expired' : 'done');
  });

async function come(model: Model, real: Real, harness: EngineHarness): Promise<void> {
  real.harness = harness;
  await harness.recover();
  await harness.keepHouse();
  for (const job of model.jobs) if (job.status === 'running') model.interrupt(job);
}

const restart = (): Command =>
  command('restart', async (model, real) => {
    await real.harness.store.close();
    await come(model, real, await EngineHarness.open({ ...options, folder: real.harness.folder }));
  });

/** A killed process leaves the present content of the disk, so a copy of it is opened. */
const crash = (): Command =>
  command('crash', async (model, real) => {
    const folder = await quickFolder();
    await cp(real.harness.folder, folder, { recursive: true });
    await real.harness[Symbol.asyncDispose]();
    await come(model, real, await EngineHarness.open({ ...options, folder }));
  });

const index = nat({ max: 20 });
const commands = courses(
  [
    constant(submit()),
    nat({ max: 2 }).map(submitKeyed),
    constantFrom('completes', 'fails', 'is interrupted').map(work),
    constant(startOnly()),
    index.map(cancel),
    index.map(deleteFiles),
    constant(retain()),
    index.map(results),
    constant(restart()),
    constant(crash()),
  ],
  { maxCommands: 30 },
);

describe('any sequence of events', () => {
  it('leaves the service equal to a model, with every promise kept', async () => {
    await assert(
      asyncProperty(commands, async (course) => {
        const real: Real = { harness: await EngineHarness.open(options) };
        const model = new Model();
        try {
          await asyncModelRun(() => ({ model, real }), course);
          await restart().run(model, real);
          while (await real.harness.worker().runOnce());
          const ended = new Map(model.jobs.filter((job) => isFinal(job.status)).map((job) => [job.jobId, job.status]));
          const accepted = new Set(model.jobs.map(({ jobId }) => jobId));
          const { store, storage, folder } = real.harness;
          const kept = { store, storage, baseDir: join(folder, 'video_jobs') };
          expect(await brokenPromises(kept, { accepted, ended })).to.deep.equal([]);
        } finally {
          await real.harness[Symbol.asyncDispose]();
        }
      }),
      { numRuns: Number(process.env['MODEL_RUNS'] ?? 25) },
    );
  });
});
