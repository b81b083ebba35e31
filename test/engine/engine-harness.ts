import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { createEngine, type JobEngine } from '../../src/engine/job-engine.ts';
import type { SubmitRequest } from '../../src/engine/submit-request.ts';
import type { JobRecovery } from '../../src/engine/job-recovery.ts';
import { keepHouse } from '../../src/engine/housekeeping.ts';
import { recover } from '../../src/engine/recovery.ts';
import type { RetryDelays } from '../../src/engine/retry-delay.ts';
import type { SnapshotFormat } from '../../src/engine/snapshot.ts';
import type { StepListener } from '../../src/engine/step.ts';
import { Worker, type WorkerOptions } from '../../src/engine/worker.ts';
import { jobOptionsSchema, type FrameResult, type Job, type JobOptions } from '../../src/job.ts';
import { createLog, type Log } from '../../src/log.ts';
import type { VideoPictureService } from '../../src/pipeline/picture-service.ts';
import type { RunOptions, VideoFilePipelineService } from '../../src/pipeline/pipeline-service.ts';
import { InMemoryQueueService } from '../../src/queue/memory.ts';
import { LocalStorageService } from '../../src/storage/local.ts';
import type { AdoptableFile } from '../../src/storage/storage-service.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { quickTmpdir } from '../run/quick-tmpdir.ts';

const silent = createLog('silent');

/**
 * A new folder in memory if the machine has such a file system: for a killed process it is as durable as a disk, and
 * its fsync costs nothing.
 */
export function quickFolder(): Promise<string> {
  return mkdtemp(join(quickTmpdir(), 'reelstate-engine-'));
}

/** A pipeline controlled by the test; by default two frames and the end. */
export class ScriptedPipelines implements VideoFilePipelineService {
  /** Files in the order of their analysis. */
  readonly started: string[] = [];
  script: (options: RunOptions) => AsyncIterable<FrameResult> = twoFrames;

  list() {
    return [{ id: 'ocr_only', description: 'scripted', nodes: [], edges: [], outputs: [] }];
  }

  runOnFile(_pipelineId: string, filePath: string, options: RunOptions = {}): AsyncIterable<FrameResult> {
    this.started.push(filePath);
    return this.script(options);
  }
}

export async function* twoFrames(): AsyncGenerator<FrameResult> {
  yield { frame_index: 0, result: { timestamp_ms: 0, text: 'a' } };
  yield { frame_index: 1, result: { timestamp_ms: 40, text: 'b' } };
}

/** Returns a picture of two bytes for each requested time. */
export const quickPictures: VideoPictureService = {
  async *pictures(_path, wish) {
    if (wish.kind === 'still') return;
    for (const timestampMs of wish.timesMs) yield { timestampMs, bytes: Uint8Array.of(0xff, 0xd8) };
  },
};

/** Never yields; ends when aborted. */
export async function* untilAborted({ signal }: RunOptions): AsyncGenerator<FrameResult> {
  await new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}

interface HarnessOptions {
  readonly maxAttempts?: number;
  readonly maxPending?: number;
  readonly folder?: string;
  readonly onStep?: StepListener;
  readonly log?: Log;
  /** By default a job does not wait. */
  readonly retryDelays?: Partial<RetryDelays>;
  readonly queue?: InMemoryQueueService;
  readonly format?: SnapshotFormat;
}

/** The engine with real parts except the pipelines: a DuckDB file and a folder. */
export class EngineHarness implements AsyncDisposable {
  readonly folder: string;
  readonly store: DuckDBJobStore;
  readonly storage: LocalStorageService;
  readonly queue: InMemoryQueueService;
  readonly pipelines: ScriptedPipelines;
  readonly engine: JobEngine;
  readonly recovery: JobRecovery;
  readonly #onStep: Pick<HarnessOptions, 'onStep'>;
  readonly #log: Log;

  private constructor(folder: string, store: DuckDBJobStore, storage: LocalStorageService, given: HarnessOptions) {
    const { maxAttempts = 2, maxPending = 10_000, onStep, log = silent } = given;
    const retryDelays = { afterLosses: () => 0, afterReleases: () => 0, ...given.retryDelays };
    this.folder = folder;
    this.store = store;
    this.storage = storage;
    this.pipelines = new ScriptedPipelines();
    this.queue = given.queue ?? new InMemoryQueueService();
    const { queue, pipelines } = this;
    this.#log = log;
    this.#onStep = onStep === undefined ? {} : { onStep };
    const parts = { store, queue, storage, pipelines };
    const format = given.format === undefined ? {} : { format: given.format };
    const made = createEngine({ ...parts, maxAttempts, maxPending, log, retryDelays, ...format, ...this.#onStep });
    this.engine = made.engine;
    this.recovery = made.recovery;
  }

  static async open(options: HarnessOptions = {}): Promise<EngineHarness> {
    const home = options.folder ?? (await quickFolder());
    const storage = await LocalStorageService.open({ baseDir: join(home, 'video_jobs') });
    const store = await DuckDBJobStore.open({ path: join(home, 'jobs.duckdb'), log: silent });
    return new EngineHarness(home, store, storage, options);
  }

  worker(options: Partial<Pick<WorkerOptions, 'jobTimeoutMs' | 'maxResultsBytes' | 'pictures'>> = {}): Worker {
    const { engine, queue, storage, pipelines } = this;
    return new Worker({
      engine,
      queue,
      storage,
      pipelines,
      pictures: quickPictures,
      jobTimeoutMs: 60_000,
      maxResultsBytes: 1e9,
      log: this.#log,
      ...this.#onStep,
      ...options,
    });
  }

  async submit(options: Partial<JobOptions> = {}): Promise<Job> {
    return this.engine.submit({ ...(await this.upload()), options: jobOptionsSchema.parse(options) });
  }

  /** Submits the same video under a key. If the key is known, discards the upload like the route. */
  async submitOnce(key: string): Promise<{ readonly job: Job; readonly replayed: boolean }> {
    const upload = await this.upload();
    try {
      return await this.engine.submitOnce({
        ...upload,
        key: { owner: 'anonymous', keySha256: createHash('sha256').update(key).digest('hex'), fingerprint: 'a video' },
        keySince: new Date(0).toISOString(),
      });
    } finally {
      await rm(upload.video.adopt, { force: true });
    }
  }

  async upload(): Promise<SubmitRequest & { readonly video: AdoptableFile }> {
    const uploadPath = join(this.storage.incomingDir, uuidv7());
    await writeFile(uploadPath, 'a video');
    return { video: { adopt: uploadPath }, pipelineId: 'ocr_only', options: jobOptionsSchema.parse({}) };
  }

  async recover({ damaged = false } = {}): Promise<void> {
    await recover({ ...this.#keeping(), damaged });
  }

  /** Runs the background work after a start once. */
  async keepHouse(): Promise<void> {
    await keepHouse({ ...this.#keeping(), retentionMs: undefined });
  }

  #keeping() {
    const { store, storage, queue, engine, recovery } = this;
    return {
      store,
      storage,
      queue,
      engine,
      recovery,
      log: this.#log,
      signal: new AbortController().signal,
      ...this.#onStep,
    };
  }

  /** Closes and opens again, like a restart. */
  async reopen(options: Omit<HarnessOptions, 'folder'> = {}): Promise<EngineHarness> {
    await this.store.close();
    return EngineHarness.open({ ...options, folder: this.folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
