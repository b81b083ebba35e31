import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { readSidecar } from '../../src/engine/sidecar.ts';
import { ServiceError } from '../../src/errors.ts';
import type { FrameResult, JobId } from '../../src/job.ts';
import type { Worker } from '../../src/engine/worker.ts';
import type { LocalStorageService } from '../../src/storage/local.ts';
import { mountSmallDisk, requireSmallDisks, unmount } from '../small-disk.ts';
import { EngineHarness, quickFolder } from './engine-harness.ts';
import { brokenPromises } from './promises.ts';
import { jobIn } from '../job-in.ts';

async function* large(): AsyncGenerator<FrameResult> {
  for (let n = 0; n < 500; n += 1) {
    yield { frame_index: n, result: { timestamp_ms: n * 40, text: 'x'.repeat(100_000) } };
  }
}

/** Resolves when a job has ended. */
const ending = ({ engine }: EngineHarness): Promise<JobId> =>
  new Promise((resolve) => {
    const stop = engine.onTransition(({ jobId, status }) => {
      if (status !== 'completed' && status !== 'failed') return;
      stop();
      resolve(jobId);
    });
  });

async function isFull(folder: string): Promise<boolean> {
  return writeFile(join(folder, 'probe'), Buffer.alloc(65_536)).then(
    async () => {
      await rm(join(folder, 'probe'));
      return false;
    },
    () => rm(join(folder, 'probe'), { force: true }).then(() => true),
  );
}

describe('a full disk', () => {
  let folder: string;
  before(function () {
    requireSmallDisks(this);
  });
  beforeEach(async () => {
    folder = await quickFolder();
    mountSmallDisk(folder, 12);
  });
  afterEach(async () => {
    unmount(folder);
    await rm(folder, { recursive: true, force: true });
  });

  const filler = () => join(folder, 'filler');
  /** Uses up all free space. */
  const fill = async (): Promise<void> => {
    for (let bytes = 16 * 1024 ** 2; bytes >= 4_096; bytes /= 2) {
      await writeFile(filler(), Buffer.alloc(bytes), { flag: 'a' }).catch(() => undefined);
    }
  };
  const filesOf = async ({ folder: home }: EngineHarness): Promise<readonly string[]> =>
    (await readdir(join(home, 'video_jobs'), { recursive: true })).filter((name) => name !== 'incoming');

  it('gives a job back whose results do not fit, without losing an attempt or leaving a file', async () => {
    const harness = await EngineHarness.open({ folder });
    const { jobId } = await harness.submit();
    harness.pipelines.script = large;
    await harness.worker().runOnce();
    const job = await harness.store.get(jobId);
    expect(job).to.include({ status: 'pending', errorCode: null });
    expect(JSON.parse(job?.snapshot ?? '')).to.have.nested.property('context.interruptions', 0);
    expect(await filesOf(harness)).to.have.members([`${jobId}.mp4`, `${jobId}.json`]);
    expect(harness.queue.dequeue()).to.equal(jobId);
    await harness.store.close();
  });

  it('fails a job if only its own results do not fit while others complete', async () => {
    const harness = await EngineHarness.open({ folder, retryDelays: { afterLosses: () => 1, afterReleases: () => 1 } });
    const tooLarge = await harness.submit();
    const { script } = harness.pipelines;
    const first = ending(harness);
    const worker = harness.worker();
    for (let round = 0; round < 10; round += 1) {
      harness.pipelines.script = large;
      await worker.runOnce();
      await untilQueued(harness);
    }
    harness.pipelines.script = script;
    const small = await harness.submit();
    expect(harness.queue.dequeue()).to.equal(tooLarge.jobId);
    await worker.runOnce();
    expect(await first).to.equal(small.jobId);
    harness.queue.requeue(tooLarge.jobId);
    harness.pipelines.script = large;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await worker.runOnce();
      if (attempt === 0) await untilQueued(harness);
    }
    expect(await harness.store.get(tooLarge.jobId)).to.include({ status: 'failed', errorCode: 'storage_full' });
    await harness.store.close();
  });

  it('rejects an upload without leaving a file, and accepts it when there is space', async () => {
    const harness = await EngineHarness.open({ folder });
    const upload = join(harness.storage.incomingDir, 'upload');
    await writeFile(upload, Buffer.alloc(4_096));
    await fill();
    expect(await isFull(folder)).to.equal(true);
    const request = { video: { adopt: upload }, pipelineId: 'ocr_only', options: { frame_stride: 1 } };
    const refusal: unknown = await harness.engine.submit(request).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(ServiceError);
    expect(refusal).to.have.property('code').that.is.oneOf(['storage_full', 'store_unavailable']);
    expect((await filesOf(harness)).filter((name) => !name.startsWith('incoming'))).to.deep.equal([]);
    expect(await harness.store.countByStatus()).to.include({ pending: 0 });
    expect(harness.queue.size()).to.equal(0);
    await rm(filler());
    const { jobId } = await harness.submit();
    expect(await harness.worker().runOnce()).to.equal(true);
    expect((await jobIn(harness.store, jobId)).status).to.equal('completed');
    await harness.store.close();
  });

  it('while a job ends and others wait, lets everything continue without a restart once there is space', async () => {
    const harness = await EngineHarness.open({ folder });
    const jobs = [await harness.submit(), await harness.submit(), await harness.submit()];
    const { script } = harness.pipelines;
    harness.pipelines.script = async function* (): AsyncGenerator<FrameResult> {
      harness.pipelines.script = script;
      await fill();
      yield* large();
    };
    const first = ending(harness);
    const worker = harness.worker();
    const ended = worker.runForever();
    await untilRefused(worker);
    await rm(filler());
    await first;
    while (harness.queue.size() > 0) await ending(harness);
    worker.drain();
    await ended;
    const seen = await Promise.all(jobs.map(async ({ jobId }) => (await jobIn(harness.store, jobId)).status));
    expect(seen).to.deep.equal(['completed', 'completed', 'completed']);
    await harness.keepHouse();
    const { store, storage } = harness;
    const ledger = { accepted: new Set(jobs.map(({ jobId }) => jobId)), ended: new Map<string, string>() };
    expect(await brokenPromises({ store, storage, baseDir: join(folder, 'video_jobs') }, ledger)).to.deep.equal([]);
    await harness.store.close();
  });

  it('that refused a sidecar receives it with the next sidecar', async () => {
    await using harness = await EngineHarness.open();
    const { jobId } = await harness.submit();
    await runWithoutRoomForSidecar(harness, jobId);
    expect(await readSidecar(harness.storage, jobId)).to.have.property('outcome', null);
    await harness.submit();
    await harness.worker().runOnce();
    expect(await readSidecar(harness.storage, jobId)).to.have.nested.property('outcome.status', 'completed');
  });

  it('that refuses a sidecar does not undo the commit; the next start rewrites the sidecar', async () => {
    await using harness = await EngineHarness.open();
    const { jobId } = await harness.submit();
    await runWithoutRoomForSidecar(harness, jobId);
    expect((await jobIn(harness.store, jobId)).status).to.equal('completed');
    await harness.keepHouse();
    const ledger = { accepted: new Set([jobId]), ended: new Map([[jobId, 'completed']]) };
    const kept = { store: harness.store, storage: harness.storage, baseDir: join(harness.folder, 'video_jobs') };
    expect(await brokenPromises(kept, ledger)).to.deep.equal([]);
  });
});

/** Resolves when the environment refuses the worker. */
function untilRefused(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (worker.refusal() !== undefined) resolve();
      else setTimeout(look, 5).unref();
    };
    look();
  });
}

/** Resolves when a job can be taken. */
function untilQueued({ queue }: EngineHarness): Promise<void> {
  return new Promise((resolve) => void queue.onWork(resolve));
}

/** Runs the worker once while the disk has no space for the sidecar of a job. */
async function runWithoutRoomForSidecar(harness: EngineHarness, jobId: JobId): Promise<void> {
  const storage: Pick<LocalStorageService, 'saveFile'> = harness.storage;
  const save = harness.storage.saveFile.bind(harness.storage);
  storage.saveFile = (source, path, options) =>
    path === `${jobId}.json`
      ? Promise.reject(new ServiceError('storage_full', 'the disk is full: injected'))
      : save(source, path, options);
  await harness.worker().runOnce();
  storage.saveFile = save;
}
