import { readdir, rm } from 'node:fs/promises';
import { openResults, openVideo } from '../../src/engine/job-files.ts';
import { join } from 'node:path';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { sidecarPathOf } from '../../src/engine/sidecar.ts';
import { STEPS, type Step } from '../../src/engine/step.ts';
import { ServiceError } from '../../src/errors.ts';
import { jobIdSchema, jobOptionsSchema, type FrameResult, type Job } from '../../src/job.ts';
import { keptLog } from '../kept-log.ts';
import { refusalOf } from '../refusal-of.ts';
import { EngineHarness, untilAborted } from './engine-harness.ts';
import { jobIn } from '../job-in.ts';

/** Returns `code: message` of a rejection. */
async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const { code, message } = await refusalOf(promise);
  return `${code}: ${message}`;
}

describe('the engine', () => {
  const steps: Step[] = [];
  let kept = keptLog();
  let harness: EngineHarness;
  beforeEach(async () => {
    steps.length = 0;
    kept = keptLog();
    harness = await EngineHarness.open({ maxAttempts: 2, onStep: (step) => steps.push(step), log: kept.log });
  });
  afterEach(() => harness[Symbol.asyncDispose]());

  /** Returns the steps since the last call. */
  const taken = (): Step[] => steps.splice(0);
  const running = async (): Promise<Job> => {
    const { jobId } = await harness.submit();
    return harness.engine.start(jobId);
  };
  const interrupt = ({ jobId, attempt }: Job): Promise<Job> =>
    harness.engine.dispatch(jobId, { type: 'INTERRUPT', attempt, code: 'stalled', message: 'it stood still' });

  describe('reports its steps in order:', () => {
    it('a job that is completed', async () => {
      await harness.submit();
      const stored = taken();
      // The two files are written in parallel.
      expect(stored.splice(0, 2).toSorted()).to.deep.equal(['submit: sidecar stored', 'submit: video stored']);
      expect(stored).to.deep.equal(['submit: before commit', 'submit: committed', 'submit: queued']);
      await harness.worker().runOnce();
      expect(taken()).to.deep.equal([
        'START: before commit',
        'START: committed',
        'attempt: results stored',
        'attempt: segments stored',
        'attempt: thumbnails stored',
        'COMPLETE: before commit',
        'COMPLETE: committed',
        'COMPLETE: sidecar rewritten',
      ]);
    });

    it('a job that fails, and one that is cancelled while pending', async () => {
      const { jobId, attempt } = await running();
      taken();
      await harness.engine.dispatch(jobId, { type: 'FAIL', attempt, code: 'invalid_video', message: 'no video' });
      expect(taken()).to.deep.equal(['FAIL: before commit', 'FAIL: committed', 'FAIL: sidecar rewritten']);
      const { jobId: waiting } = await harness.submit();
      taken();
      await harness.engine.cancel(waiting);
      expect(taken()).to.deep.equal(['CANCEL: before commit', 'CANCEL: committed', 'CANCEL: sidecar rewritten']);
    });

    it('a job that is interrupted, released, and interrupted again', async () => {
      const first = await running();
      taken();
      await interrupt(first);
      expect(taken()).to.deep.equal(['INTERRUPT: before commit', 'INTERRUPT: committed', 'INTERRUPT: queued']);
      const second = await harness.engine.start(first.jobId);
      taken();
      await harness.engine.dispatch(first.jobId, { type: 'RELEASE', attempt: second.attempt });
      expect(taken()).to.deep.equal(['RELEASE: before commit', 'RELEASE: committed', 'RELEASE: queued']);
      const third = await harness.engine.start(first.jobId);
      taken();
      await interrupt(third);
      expect(taken()).to.deep.equal([
        'INTERRUPT: before commit',
        'INTERRUPT: committed',
        'INTERRUPT: sidecar rewritten',
      ]);
    });

    it('files that are deleted, once', async () => {
      const { jobId } = await harness.submit();
      await harness.worker().runOnce();
      taken();
      const { deletedAt } = await harness.engine.deleteFiles(jobId);
      expect(taken()).to.deep.equal([
        'expire: committed',
        'expire: sidecar rewritten',
        'expire: results deleted',
        'expire: segments deleted',
        'expire: thumbnails deleted',
        'expire: input deleted',
      ]);
      expect(await harness.engine.deleteFiles(jobId)).to.deep.equal({ jobId, deletedAt });
      expect(taken()).to.deep.equal([
        'expire: results deleted',
        'expire: segments deleted',
        'expire: thumbnails deleted',
        'expire: input deleted',
      ]);
    });

    it('a job that the database has lost', async () => {
      const { jobId } = await harness.submit();
      const unknown = jobIdSchema.parse(uuidv7());
      await harness.storage.saveFile(
        (async function* () {
          yield 'a video without a job';
        })(),
        `${unknown}.mp4`,
      );
      await harness.store.close();
      await rm(join(harness.folder, 'jobs.duckdb'));
      taken();
      const again = await EngineHarness.open({ folder: harness.folder, onStep: (step) => steps.push(step) });
      await again.recover({ damaged: true });
      expect(taken().toSorted()).to.deep.equal(['reconcile: file set aside', 'reconcile: row restored']);
      expect((await jobIn(again.store, jobId)).status).to.equal('pending');
      await again.store.close();
      harness = await EngineHarness.open({ folder: harness.folder });
    });

    it('and each of them has a name of its own', () => {
      expect(new Set(STEPS).size).to.equal(STEPS.length);
    });
  });

  describe('logs every step with its job:', () => {
    it('from the submission to the results', async () => {
      const { jobId } = await harness.submit();
      await harness.worker().runOnce();
      expect(kept.lines).to.deep.equal([
        {
          level: 'info',
          job_id: jobId,
          seq: 1,
          attempt: 0,
          from: null,
          event: 'SUBMIT',
          to: 'pending',
          msg: 'transition',
        },
        {
          level: 'info',
          job_id: jobId,
          seq: 2,
          attempt: 1,
          from: 'pending',
          event: 'START',
          to: 'running',
          msg: 'transition',
        },
        { level: 'info', job_id: jobId, attempt: 1, pipeline_id: 'ocr_only', msg: 'analysis started' },
        { level: 'info', job_id: jobId, attempt: 1, output_path: `${jobId}_results.json`, msg: 'results saved' },
        {
          level: 'info',
          job_id: jobId,
          seq: 3,
          attempt: 1,
          from: 'running',
          event: 'COMPLETE',
          to: 'completed',
          msg: 'transition',
        },
      ]);
    });

    it('the trouble of an attempt, and the end of its job', async () => {
      const { jobId } = await harness.submit();
      // oxlint-disable-next-line require-yield
      harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
        throw new ServiceError('invalid_video', 'it cannot be read');
      };
      await harness.worker().runOnce();
      const [error, ...rest] = kept.lines.slice(3);
      expect(error)
        .to.include({ level: 'warn', job_id: jobId, attempt: 1, msg: 'analysis failed' })
        .and.have.nested.property('err.message', 'it cannot be read');
      expect(rest).to.deep.equal([
        {
          level: 'info',
          job_id: jobId,
          seq: 3,
          attempt: 1,
          from: 'running',
          event: 'FAIL',
          to: 'failed',
          error_code: 'invalid_video',
          error_message: 'it cannot be read',
          msg: 'transition',
        },
      ]);
    });

    it('an aborted attempt', async () => {
      const { jobId } = await harness.submit();
      const worker = harness.worker();
      harness.pipelines.script = (options) => {
        worker.halt();
        return untilAborted(options);
      };
      await worker.runForever();
      // The files of an aborted attempt are deleted.
      while (!kept.lines.some(({ msg }) => msg === 'analysis aborted')) await new Promise(setImmediate);
      expect((await jobIn(harness.store, jobId)).status).to.equal('pending');
    });

    it('an id without a job, and an outcome that comes too late', async () => {
      const unknown = jobIdSchema.parse(uuidv7());
      harness.queue.enqueue(unknown);
      await harness.worker().runOnce();
      expect(kept.lines).to.deep.equal([
        { level: 'warn', job_id: unknown, reason: `There is no job ${unknown}`, msg: 'id skipped' },
      ]);
      const { jobId } = await harness.submit();
      harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
        await harness.engine.cancel(jobId);
      };
      await harness.worker().runOnce();
      expect((await jobIn(harness.store, jobId)).errorCode).to.equal('cancelled');
    });

    it('files that were deleted', async () => {
      const { jobId } = await harness.submit();
      await harness.worker().runOnce();
      await harness.engine.deleteFiles(jobId);
      expect(kept.lines.at(-1)).to.deep.equal({ level: 'info', job_id: jobId, msg: 'files deleted' });
    });
  });

  describe('gives the reason of a rejection:', () => {
    it('unknown jobs and pipelines', async () => {
      const jobId = jobIdSchema.parse(uuidv7());
      const refusal = `job_not_found: There is no job ${jobId}`;
      const asking = [
        jobIn(harness.store, jobId),
        harness.engine.inHand(jobId),
        harness.engine.start(jobId),
        harness.engine.cancel(jobId),
        harness.engine.deleteFiles(jobId),
      ];
      for (const reason of await Promise.all(asking.map(reasonOf))) expect(reason).to.equal(refusal);
      const asked = { video: { adopt: 'none' }, pipelineId: 'none', options: jobOptionsSchema.parse({}) };
      expect(await reasonOf(harness.engine.submit(asked))).to.equal(
        'unknown_pipeline: Unknown pipeline "none"; there is: ocr_only',
      );
      expect(harness.queue.size()).to.equal(0);
      await harness.store.ping();
    });

    it('what the state of a job does not allow', async () => {
      const job = await running();
      const { jobId } = job;
      expect(await reasonOf(harness.engine.start(jobId))).to.equal(
        'job_conflict: The job is running (attempt 1): it does not accept START',
      );
      expect(await reasonOf(openResults(harness.storage, await jobIn(harness.store, jobId)))).to.equal(
        `job_not_completed: The job ${jobId} is running; there are results when it is completed`,
      );
      expect(await reasonOf(harness.engine.deleteFiles(jobId))).to.equal(
        'job_conflict: The job is running: its files can be deleted when it has ended',
      );
      await harness.engine.dispatch(jobId, { type: 'COMPLETE', attempt: 1, outputPath: 'r' });
      expect(await reasonOf(harness.engine.cancel(jobId))).to.equal(
        'job_conflict: The job is completed (attempt 1): it does not accept CANCEL',
      );
      const { deletedAt } = await harness.engine.deleteFiles(jobId);
      expect(await reasonOf(openResults(harness.storage, await jobIn(harness.store, jobId)))).to.equal(
        `results_expired: The results of job ${jobId} were deleted at ${deletedAt}`,
      );
      expect(await reasonOf(openVideo(harness.storage, await jobIn(harness.store, jobId)))).to.equal(
        `video_missing: The video of job ${jobId} is no longer stored`,
      );
    });

    it('one job too many, and accepts again after a start or a cancel', async () => {
      await using small = await EngineHarness.open({ maxPending: 2 });
      const first = await small.submit();
      const second = await small.submit();
      const refusal = 'queue_full: 2 jobs are pending, which is the limit';
      expect(await reasonOf(small.submit())).to.equal(refusal);
      await small.engine.start(first.jobId);
      await small.submit();
      expect(await reasonOf(small.submit())).to.equal(refusal);
      await small.engine.cancel(second.jobId);
      // Jobs being accepted already count.
      const both = await Promise.allSettled([small.submit(), small.submit()]);
      expect(both.map(({ status }) => status).toSorted()).to.deep.equal(['fulfilled', 'rejected']);
      const again = await small.reopen();
      await again.recover();
      await again.store.close();
    });
  });

  it('counts a repeated submission with one key once, and distinguishes keys', async () => {
    // The order of two concurrent submissions is undefined.
    const [first, second] = await Promise.all([harness.submitOnce('a'), harness.submitOnce('a')]);
    expect(second.job).to.deep.equal(first.job);
    expect(first.replayed).to.equal(!second.replayed);
    const other = await harness.submitOnce('b');
    expect(other.replayed).to.equal(false);
    expect(other.job.jobId).to.not.equal(first.job.jobId);
    expect((await harness.submitOnce('a')).job.jobId).to.equal(first.job.jobId);
  });

  it('restores a submission with its key from the sidecar', async () => {
    const { job } = await harness.submitOnce('a');
    await harness.store.close();
    await rm(join(harness.folder, 'jobs.duckdb'));
    harness = await EngineHarness.open({ folder: harness.folder });
    await harness.recover({ damaged: true });
    expect(await harness.submitOnce('a')).to.deep.include({ replayed: true });
    expect((await harness.submitOnce('a')).job.jobId).to.equal(job.jobId);
  });

  it('leaves nothing of a submission whose upload is missing', async () => {
    const options = jobOptionsSchema.parse({});
    const uploadPath = join(harness.storage.incomingDir, 'gone');
    await harness.engine.submit({ video: { adopt: uploadPath }, pipelineId: 'ocr_only', options }).then(
      () => expect.fail(),
      () => undefined,
    );
    expect((await readdir(join(harness.folder, 'video_jobs'))).filter((name) => name.includes('.'))).to.deep.equal([]);
    expect(harness.queue.size()).to.equal(0);
    expect(await harness.store.countByStatus()).to.deep.equal({ pending: 0, running: 0, completed: 0, failed: 0 });
  });

  it('forgets the releases of a cancelled job', async () => {
    const { engine } = harness;
    const { jobId } = await harness.submit();
    for (let times = 0; times < 10; times += 1) {
      const { attempt } = await engine.start(jobId);
      await engine.dispatch(jobId, { type: 'RELEASE', attempt });
    }
    const other = await harness.submit();
    await engine.start(other.jobId);
    await engine.dispatch(other.jobId, { type: 'FAIL', attempt: 1, code: 'invalid_video', message: 'no video' });
    expect(engine.isRefusedAlone(jobId)).to.equal(true);
    await engine.cancel(jobId);
    expect(engine.isRefusedAlone(jobId)).to.equal(false);
  });

  it('caches a running job, and reads the sidecar of one from an earlier process', async () => {
    const { jobId } = await harness.submit();
    await harness.storage.deleteFile(sidecarPathOf(jobId));
    expect((await harness.engine.start(jobId)).status).to.equal('running');
    expect(await harness.engine.inHand(jobId)).to.deep.equal(await jobIn(harness.store, jobId));
  });
});
