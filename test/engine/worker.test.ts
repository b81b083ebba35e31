import { readFile, readdir } from 'node:fs/promises';
import { once } from 'node:events';
import { openResults } from '../../src/engine/job-files.ts';
import { join } from 'node:path';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { thumbnailsPathOf } from '../../src/engine/sidecar.ts';
import { ServiceError } from '../../src/errors.ts';
import { jobIdSchema, type FrameResult } from '../../src/job.ts';
import type { VideoPictureService } from '../../src/pipeline/picture-service.ts';
import type { RunOptions } from '../../src/pipeline/pipeline-service.ts';
import { keptLog } from '../kept-log.ts';
import { EngineHarness, twoFrames, untilAborted } from './engine-harness.ts';
import { jobIn } from '../job-in.ts';

async function* twoLines(): AsyncGenerator<string> {
  yield '{"results": [\n';
  yield ']}\n';
}

describe('a worker', () => {
  let harness: EngineHarness;
  beforeEach(async () => {
    harness = await EngineHarness.open({ maxAttempts: 2 });
  });
  afterEach(() => harness[Symbol.asyncDispose]());

  const events = async (jobId: string): Promise<string[]> =>
    (await harness.store.transitionsOf(jobIdSchema.parse(jobId))).map(({ event }) => event);

  /** Resolves when a job has entered this state. */
  const until = (state: string): Promise<void> =>
    new Promise((resolve) => {
      const stop = harness.engine.onTransition((_job, { toState }) => {
        if (toState !== state) return;
        stop();
        resolve();
      });
    });

  it('resolves with false when the queue is empty', async () => {
    expect(await harness.worker().runOnce()).to.equal(false);
  });

  it('takes one job per step, stores its results and completes it', async () => {
    const { jobId } = await harness.submit();
    const second = await harness.submit();
    expect(await harness.worker().runOnce()).to.equal(true);
    const job = await jobIn(harness.store, jobId);
    expect(job).to.include({ status: 'completed', attempt: 1, outputPath: `${jobId}_results.json` });
    const path = await openResults(harness.storage, await jobIn(harness.store, jobId));
    expect(JSON.parse(await readFile(path, 'utf8'))).to.deep.equal({
      results: [
        { frame_index: 0, result: { timestamp_ms: 0, text: 'a' } },
        { frame_index: 1, result: { timestamp_ms: 40, text: 'b' } },
      ],
    });
    expect((await jobIn(harness.store, second.jobId)).status).to.equal('pending');
  });

  it('stores an empty list for a pipeline that yields nothing', async () => {
    const { jobId } = await harness.submit();
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {};
    await harness.worker().runOnce();
    const path = await openResults(harness.storage, await jobIn(harness.store, jobId));
    expect(JSON.parse(await readFile(path, 'utf8'))).to.deep.equal({ results: [] });
  });

  it('skips an id without a job', async () => {
    harness.queue.enqueue(jobIdSchema.parse(uuidv7()));
    const { jobId } = await harness.submit();
    expect(await harness.worker().runOnce()).to.equal(true);
    expect((await jobIn(harness.store, jobId)).status).to.equal('completed');
  });

  it('fails a job for good if the error would occur again, without partial results', async () => {
    const { jobId } = await harness.submit();
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      yield { frame_index: 0, result: { timestamp_ms: 0 } };
      throw new ServiceError('invalid_video', 'no video track');
    };
    await harness.worker().runOnce();
    const job = await jobIn(harness.store, jobId);
    expect(job).to.include({
      status: 'failed',
      errorCode: 'invalid_video',
      errorMessage: 'no video track',
      attempt: 1,
    });
    expect(await readdir(join(harness.folder, 'video_jobs'))).to.not.include(`${jobId}_results.json`);
    expect(await readdir(harness.storage.incomingDir)).to.deep.equal([]);
  });

  it('starts an interrupted job again before any later one', async () => {
    const first = await harness.submit();
    const second = await harness.submit();
    const { script } = harness.pipelines;
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      harness.pipelines.script = script;
      throw new ServiceError('decoder_crashed', 'ended by SIGSEGV', { retryable: true });
    };
    for (let step = 0; step < 3; step += 1) await harness.worker().runOnce();
    expect(await events(first.jobId)).to.deep.equal(['SUBMIT', 'START', 'INTERRUPT', 'START', 'COMPLETE']);
    expect(await events(second.jobId)).to.deep.equal(['SUBMIT', 'START', 'COMPLETE']);
    const order = harness.pipelines.started.map((path) => (path.includes(first.jobId) ? 1 : 2));
    expect(order).to.deep.equal([1, 1, 2]);
  });

  it('fails a job whose attempts are lost, with the reason', async () => {
    const { jobId } = await harness.submit();
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      throw new ServiceError('stalled', 'no frame for 1 s', { retryable: true });
    };
    await harness.worker().runOnce();
    await harness.worker().runOnce();
    const job = await jobIn(harness.store, jobId);
    expect(job).to.include({ status: 'failed', errorCode: 'stalled', attempt: 2 });
    expect(job.errorMessage).to.match(/no attempt left: no frame for 1 s/);
  });

  for (const [places, ended] of [
    [
      [7, 7],
      ['SUBMIT', 'START', 'INTERRUPT', 'START', 'FAIL'],
    ],
    [
      [0, 7, 0],
      ['SUBMIT', 'START', 'INTERRUPT', 'START', 'INTERRUPT', 'START', 'INTERRUPT'],
    ],
  ] as const) {
    it(`whose job stalls after ${places.join(', then ')} frames, ends it by ${ended.at(-1)}`, async () => {
      await using patient = await EngineHarness.open({ maxAttempts: 3 });
      const { jobId } = await patient.submit();
      const left: number[] = [...places];
      patient.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
        throw new ServiceError('stalled', 'no frame for 1 s', { retryable: true, framesDecoded: left.shift() ?? 0 });
      };
      while (await patient.worker().runOnce());
      expect((await patient.store.transitionsOf(jobId)).map(({ event }) => event)).to.deep.equal(ended);
      expect(await jobIn(patient.store, jobId)).to.include({ status: 'failed', errorCode: 'stalled' });
      expect(left).to.deep.equal([]);
    });
  }

  it('fails a job whose video is missing', async () => {
    const { jobId, inputPath } = await harness.submit();
    await harness.storage.deleteFile(inputPath);
    await harness.worker().runOnce();
    const job = await jobIn(harness.store, jobId);
    expect(job).to.include({ status: 'failed', errorCode: 'input_missing' });
    expect(job.errorMessage).to.contain(inputPath);
  });

  it('fails a job that takes too long', async () => {
    const { jobId } = await harness.submit();
    harness.pipelines.script = untilAborted;
    await harness.worker({ jobTimeoutMs: 20 }).runOnce();
    expect(await jobIn(harness.store, jobId)).to.include({ status: 'failed', errorCode: 'timeout' });
  });

  it('fails a job whose results grow beyond their limit', async () => {
    const { jobId } = await harness.submit();
    await harness.worker({ maxResultsBytes: 60 }).runOnce();
    expect(await jobIn(harness.store, jobId)).to.include({ status: 'failed', errorCode: 'too_large' });
    expect(await readdir(join(harness.folder, 'video_jobs'))).to.not.include(`${jobId}_results.json`);
  });

  it('drops a job that is cancelled while it runs, and continues', async () => {
    const { jobId } = await harness.submit();
    harness.pipelines.script = untilAborted;
    const running = until('running');
    const step = harness.worker().runOnce();
    await running;
    await harness.engine.cancel(jobId);
    expect(await step).to.equal(true);
    expect(await events(jobId)).to.deep.equal(['SUBMIT', 'START', 'CANCEL']);
    expect(await jobIn(harness.store, jobId)).to.include({ status: 'failed', errorCode: 'cancelled' });
  });

  it('never starts a job that is cancelled in the moment between START and its analysis', async () => {
    const { jobId } = await harness.submit();
    harness.pipelines.script = untilAborted;
    const stop = harness.engine.onTransition((_job, { event }) => {
      if (event === 'START') void harness.engine.cancel(jobId);
    });
    expect(await harness.worker().runOnce()).to.equal(true);
    stop();
    expect(await jobIn(harness.store, jobId)).to.include({ status: 'failed', errorCode: 'cancelled' });
  });

  it('skips a job that was cancelled while pending; cancelling again changes nothing', async () => {
    const { jobId } = await harness.submit();
    await harness.engine.cancel(jobId);
    await harness.engine.cancel(jobId);
    expect(await harness.worker().runOnce()).to.equal(false);
    expect(await events(jobId)).to.deep.equal(['SUBMIT', 'CANCEL']);
  });

  it('leaves no results when the cancel follows their storage', async () => {
    const { jobId } = await harness.submit();
    const worker = harness.worker();
    const { engine } = harness;
    const dispatch = engine.dispatch.bind(engine);
    engine.dispatch = async (id, event) => {
      if (event.type === 'COMPLETE') await dispatch(id, { type: 'CANCEL' });
      return dispatch(id, event);
    };
    await worker.runOnce();
    expect(await jobIn(harness.store, jobId)).to.include({ status: 'failed', errorCode: 'cancelled' });
    expect(await readdir(join(harness.folder, 'video_jobs'))).to.not.include(`${jobId}_results.json`);
  });

  for (const end of ['cancelled', 'timeout'] as const) {
    it(`leaves no results of a job that ends as ${end} while its thumbnails are created`, async () => {
      const { jobId } = await harness.submit();
      const { engine, storage } = harness;
      const deleteFile = storage.deleteFile.bind(storage);
      const deleted = new Promise<void>((resolve) => {
        storage.deleteFile = async (path) => {
          await deleteFile(path);
          if (path === thumbnailsPathOf(jobId)) resolve();
        };
      });
      const pictures: VideoPictureService = {
        // oxlint-disable-next-line require-yield
        async *pictures(_path, _wish, signal = new AbortController().signal) {
          if (end === 'cancelled') void engine.cancel(jobId);
          await once(signal, 'abort');
          signal.throwIfAborted();
        },
      };
      await harness.worker({ pictures, ...(end === 'timeout' && { jobTimeoutMs: 500 }) }).runOnce();
      expect(await jobIn(harness.store, jobId)).to.include({ status: 'failed', errorCode: end });
      await deleted;
      const left = (await readdir(join(harness.folder, 'video_jobs'))).filter((name) => name.startsWith(jobId));
      expect(left.toSorted()).to.deep.equal([`${jobId}.json`, `${jobId}.mp4`]);
    });
  }

  it('passes only the given options of the job and a signal to the pipeline', async () => {
    const given: RunOptions[] = [];
    harness.pipelines.script = (options) => {
      given.push(options);
      return twoFrames();
    };
    await harness.submit({ frame_stride: 2, max_frames: 5 });
    await harness.submit();
    await harness.worker().runOnce();
    await harness.worker().runOnce();
    expect(given.map(({ signal, ...options }) => [signal instanceof AbortSignal, options])).to.deep.equal([
      [true, { frameStride: 2, maxFrames: 5 }],
      [true, { frameStride: 1 }],
    ]);
  });

  it('limits the bytes of results exactly', async () => {
    const frames: string[] = [];
    for await (const frame of twoFrames()) frames.push(JSON.stringify(frame));
    const bytes = `{"results": [\n${frames.join(',\n')}`.length;
    const within = await harness.submit();
    await harness.worker({ maxResultsBytes: bytes }).runOnce();
    expect((await jobIn(harness.store, within.jobId)).status).to.equal('completed');
    const beyond = await harness.submit();
    await harness.worker({ maxResultsBytes: bytes - 1 }).runOnce();
    expect(await jobIn(harness.store, beyond.jobId)).to.include({
      errorCode: 'too_large',
      errorMessage: `The results have more bytes than MAX_RESULTS_BYTES allows (${bytes - 1})`,
    });
  });

  it('logs a rejected outcome and deletes only the results of a failed job', async () => {
    const { log, lines } = keptLog();
    const steps: string[] = [];
    await using heard = await EngineHarness.open({ log, onStep: (step) => steps.push(step) });
    const refused = (jobId: string, event: string, status: string) => ({
      level: 'warn',
      job_id: jobId,
      attempt: 1,
      event,
      reason: `The job is ${status} (attempt 1): it does not accept ${event}`,
      msg: 'outcome rejected',
    });
    const failed = await heard.submit();
    // oxlint-disable-next-line require-yield
    heard.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      await heard.engine.dispatch(failed.jobId, { type: 'FAIL', attempt: 1, code: 'timeout', message: 'too late' });
    };
    await heard.worker().runOnce();
    expect(lines.at(-1)).to.deep.equal(refused(failed.jobId, 'COMPLETE', 'failed'));
    expect(steps.at(-1)).to.equal('cancelled attempt: before its results are deleted');
    expect(await readdir(join(heard.folder, 'video_jobs'))).to.not.include(`${failed.jobId}_results.json`);

    const completed = await heard.submit();
    // oxlint-disable-next-line require-yield
    heard.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      const outputPath = await heard.storage.saveFile(twoLines(), `${completed.jobId}_results.json`);
      await heard.engine.dispatch(completed.jobId, { type: 'COMPLETE', attempt: 1, outputPath });
      throw new ServiceError('invalid_video', 'it cannot be read');
    };
    await heard.worker().runOnce();
    expect(lines.at(-1)).to.deep.equal(refused(completed.jobId, 'FAIL', 'completed'));
    expect(steps.at(-1)).to.equal('COMPLETE: sidecar rewritten');
    expect(await readdir(join(heard.folder, 'video_jobs'))).to.include(`${completed.jobId}_results.json`);
  });

  it('puts the id back if it cannot write to the store, and can be stopped', async () => {
    await harness.submit();
    await harness.store.close();
    expect(harness.queue.size()).to.equal(1);
    expect(await harness.worker().runOnce()).to.equal(false);
    expect(harness.queue.size()).to.equal(1);
  });

  it('can be stopped before it ran, and has no state', () => {
    const worker = harness.worker();
    worker.drain();
    worker.halt();
    expect(worker.snapshot()).to.equal(undefined);
  });

  it('wakes when an id is enqueued, and finishes the current job when drained', async () => {
    const worker = harness.worker();
    const ended = worker.runForever();
    const completed = until('completed');
    const { jobId } = await harness.submit();
    await completed;
    expect((await jobIn(harness.store, jobId)).status).to.equal('completed');
    worker.drain();
    await ended;
  });

  it('gives the current job back without losing an attempt when halted', async () => {
    const { jobId } = await harness.submit();
    harness.pipelines.script = untilAborted;
    const worker = harness.worker();
    const running = until('running');
    const ended = worker.runForever();
    await running;
    worker.halt();
    await ended;
    const job = await jobIn(harness.store, jobId);
    expect(job).to.include({ status: 'pending', attempt: 1 });
    expect(JSON.parse(job.snapshot)).to.have.nested.property('context.interruptions', 0);
  });
});

describe('recovery', () => {
  it('interrupts running jobs and queues all pending ones in order of acceptance', async () => {
    const before = await EngineHarness.open({ maxAttempts: 2 });
    const jobs = [await before.submit(), await before.submit(), await before.submit()];
    const taken = before.queue.dequeue();
    if (taken === undefined) throw new Error('three ids are queued');
    await before.engine.dispatch(taken, { type: 'START' });
    await using after = await before.reopen();
    await after.recover();
    expect(await jobIn(after.store, taken)).to.include({ status: 'pending', attempt: 1 });
    expect([after.queue.dequeue(), after.queue.dequeue(), after.queue.dequeue()]).to.deep.equal(
      jobs.map(({ jobId }) => jobId),
    );
  });

  it('fails a running job whose last attempt is lost', async () => {
    const before = await EngineHarness.open({ maxAttempts: 1 });
    const { jobId } = await before.submit();
    before.queue.dequeue();
    await before.engine.dispatch(jobId, { type: 'START' });
    await using after = await before.reopen({ maxAttempts: 1 });
    await after.recover();
    expect(await jobIn(after.store, jobId)).to.include({ status: 'failed', errorCode: 'interrupted' });
    expect(after.queue.size()).to.equal(0);
  });
});
