import { copyFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ReelstateClient } from '../../src/client/reelstate-client.ts';
import { parseConfig } from '../../src/config.ts';
import type { FrameResult, JobId, MediaFacts } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import type { PipelineDescription, VideoFilePipelineService } from '../../src/pipeline/pipeline-service.ts';
import type { QueueService } from '../../src/queue/queue-service.ts';
import { createService } from '../../src/service.ts';
import { LocalStorageService } from '../../src/storage/local.ts';
import type { AdoptableFile, UploadStorage } from '../../src/storage/storage-service.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { VIDEO } from '../http/service-under-test.ts';
import { obeysTheQueueContract } from '../queue/queue.contract.ts';
import { storageContract } from '../storage/storage.contract.ts';

interface Waiting {
  readonly jobId: JobId;
  readonly isBegun: boolean;
}

/** A queue of an embedding program: one sorted array. */
class ArrayQueue implements QueueService {
  readonly taken: JobId[] = [];
  #waiting: Waiting[] = [];
  readonly #delayed = new Map<JobId, { readonly timer: NodeJS.Timeout; readonly blocks: boolean }>();
  readonly #wakers = new Set<() => void>();

  enqueue(jobId: JobId): void {
    this.#waiting.push({ jobId, isBegun: false });
    this.#wake();
  }

  requeue(jobId: JobId, delayMs = 0): void {
    if (delayMs > 0) return this.#delay(jobId, delayMs, true);
    const begun = [...this.#waiting.filter(({ isBegun }) => isBegun), { jobId, isBegun: true }];
    begun.sort((a, b) => (a.jobId < b.jobId ? -1 : 1));
    this.#waiting = [...begun, ...this.#waiting.filter(({ isBegun }) => !isBegun)];
    this.#wake();
  }

  postpone(jobId: JobId, delayMs: number): void {
    this.#delay(jobId, delayMs, false);
  }

  removeDelayed(jobId: JobId): void {
    clearTimeout(this.#delayed.get(jobId)?.timer);
    if (this.#delayed.delete(jobId)) this.#wake();
  }

  dequeue(): JobId | undefined {
    if (!this.#isOpen()) return undefined;
    const jobId = this.#waiting.shift()?.jobId;
    if (jobId !== undefined) this.taken.push(jobId);
    return jobId;
  }

  size(): number {
    return this.#waiting.length + this.#delayed.size;
  }

  onWork(wake: () => void): () => void {
    this.#wakers.add(wake);
    this.#wake();
    return () => void this.#wakers.delete(wake);
  }

  #delay(jobId: JobId, delayMs: number, blocks: boolean): void {
    const timer = setTimeout(() => {
      this.#delayed.delete(jobId);
      this.requeue(jobId);
    }, delayMs);
    this.#delayed.set(jobId, { timer, blocks });
  }

  #isOpen(): boolean {
    return ![...this.#delayed.values()].some(({ blocks }) => blocks);
  }

  #wake(): void {
    for (const wake of this.#wakers) {
      if (!this.#isOpen() || this.#waiting.length === 0) return;
      this.#wakers.delete(wake);
      wake();
    }
  }
}

/** A storage of an embedding program: saved files have a copy in another folder. */
class MirroredStorage implements UploadStorage {
  readonly incomingDir: string;
  readonly #local: LocalStorageService;
  readonly #mirror: string;

  constructor(local: LocalStorageService, mirror: string) {
    this.#local = local;
    this.#mirror = mirror;
    this.incomingDir = local.incomingDir;
  }

  async saveFile(
    source: AsyncIterable<Uint8Array | string> | AdoptableFile,
    destPath: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<string> {
    const stored = await this.#local.saveFile(source, destPath, options);
    if (!destPath.includes('/')) await copyFile(await this.#local.loadFile(stored), join(this.#mirror, destPath));
    return stored;
  }

  loadFile(path: string): Promise<string> {
    return this.#local.loadFile(path);
  }

  deleteFile(path: string): Promise<void> {
    return this.#local.deleteFile(path);
  }

  sweepIncoming(): Promise<void> {
    return this.#local.sweepIncoming();
  }

  list(): AsyncIterable<string> {
    return this.#local.list();
  }

  moveFile(path: string, destPath: string): Promise<string> {
    return this.#local.moveFile(path, destPath);
  }

  foldersIn(path: string): Promise<readonly string[]> {
    return this.#local.foldersIn(path);
  }

  deleteFolder(path: string): Promise<void> {
    return this.#local.deleteFolder(path);
  }
}

const SIZE_OF_FILE: PipelineDescription = {
  id: 'size_of_file',
  description: 'tells how many bytes the video has',
  nodes: [],
  edges: [],
  outputs: [],
};

/** A pipeline of an embedding program. */
class SizePipeline implements VideoFilePipelineService {
  list(): readonly PipelineDescription[] {
    return [SIZE_OF_FILE];
  }

  async *runOnFile(_: string, filePath: string): AsyncGenerator<FrameResult, MediaFacts | undefined> {
    const { size } = await stat(filePath);
    yield { frame_index: 0, result: { timestamp_ms: 0, text: `${size} bytes`, lines: [] } };
    return undefined;
  }
}

describe('an embedded service', () => {
  const log = createLog('silent');
  const folders: string[] = [];
  const newFolder = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'embedded-'));
    folders.push(folder);
    return folder;
  };
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  it('works with another queue, storage, job store and pipeline', async () => {
    const [dataDir, files, mirror, rows] = [await newFolder(), await newFolder(), await newFolder(), await newFolder()];
    const queue = new ArrayQueue();
    const storage = new MirroredStorage(await LocalStorageService.open({ baseDir: files }), mirror);
    const store = await DuckDBJobStore.open({ path: join(rows, 'rows.duckdb'), log });
    const config = parseConfig({ PORT: '0', DATA_DIR: dataDir });
    const service = await createService(config, { queue, storage, store, pipelines: new SizePipeline(), log });
    try {
      await service.ready;
      const client = new ReelstateClient({ url: service.url });
      const submit = async (content: string) =>
        client.submit({ file: new Blob([VIDEO, content]), pipelineId: 'size_of_file' });
      const jobIds = [(await submit('one')).jobId, (await submit('number two')).jobId];
      for (const jobId of jobIds) expect((await client.waitFor(jobId)).status).to.equal('completed');
      expect(queue.taken).to.deep.equal(jobIds);
      const documents = jobIds.map((jobId) => readFile(join(mirror, `${jobId}_results.json`), 'utf8'));
      expect((await Promise.all(documents)).map((text) => JSON.parse(text).results[0].result.text)).to.deep.equal([
        `${VIDEO.length + 3} bytes`,
        `${VIDEO.length + 10} bytes`,
      ]);
      expect((await store.countByStatus()).completed).to.equal(2);
    } finally {
      await service.close();
      await store.close();
    }
    expect(await readdir(join(dataDir, 'video_jobs', 'incoming'))).to.deep.equal([]);
    const own = await DuckDBJobStore.open({ path: join(dataDir, 'jobs.duckdb'), log });
    expect((await own.countByStatus()).completed).to.equal(0);
    await own.close();
  });

  it('gives up a start that is told to stop, and closes what it opened', async () => {
    const dataDir = await newFolder();
    const config = parseConfig({ PORT: '0', DATA_DIR: dataDir });
    const parts = { pipelines: new SizePipeline(), log };
    const refused = createService(config, { ...parts, signal: AbortSignal.abort(new Error('not now')) });
    expect(await refused.catch((error: unknown) => error)).to.include({ message: 'not now' });
    const service = await createService(config, parts);
    await service.close();
  });

  describe('a queue of its own', () => {
    obeysTheQueueContract(() => new ArrayQueue());
  });

  describe('a storage of its own', () => {
    storageContract(async () => {
      const [baseDir, mirror] = [await newFolder(), await newFolder()];
      const storage = new MirroredStorage(await LocalStorageService.open({ baseDir }), mirror);
      return {
        storage,
        incomingDir: storage.incomingDir,
        files: async () => {
          const entries = await readdir(baseDir, { withFileTypes: true, recursive: true });
          return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
        },
        dispose: async () => undefined,
      };
    });
  });
});
