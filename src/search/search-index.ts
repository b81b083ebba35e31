import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, ServiceError } from '../errors.ts';
import type { JobId } from '../job.ts';
import type { Log } from '../log.ts';
import { deleteIndex } from './index-file.ts';
import { IndexKeeper } from './index-keeper.ts';
import { IndexSession } from './index-session.ts';
import type { IndexStepListener } from './index-step.ts';
import type { SearchHit, SearchPage, SearchQuery, SearchState, VideoSearch, VideoSource } from './video-search.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** DuckDB's messages about a file with wrong content, or one that it can no longer use. */
const DAMAGED = /Corrupt|checksum|Could not read enough bytes|deserializ|INTERNAL Error|FATAL Error|invalidated/i;

export interface SearchIndexOptions {
  /** The index file. Its folder exists and belongs to this process; the file need not exist. */
  readonly path: string;
  readonly source: VideoSource;
  readonly log: Log;
  readonly onStep?: IndexStepListener;
}

/**
 * Search in a DuckDB file derived from the segments. It is opened, compared with the jobs and changed in the
 * background. A missing, damaged or outdated file is built again; meanwhile searches find what is in it.
 */
export class SearchIndex implements VideoSearch {
  readonly #options: SearchIndexOptions;
  readonly #stop = new AbortController();
  /** Jobs to be added or removed. */
  readonly #added = new Set<JobId>();
  readonly #removed = new Set<JobId>();
  #session: IndexSession | undefined;
  #isReconciled = false;
  #videos = 0;
  /** A search found damage: the index must be opened again. */
  #fault: unknown;
  #wake: () => void = () => {};
  #pauseMs = FIRST_PAUSE_MS;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SearchIndexOptions) {
    this.#options = options;
  }

  /** Opens the index in the background. Until then nothing is found. Call once. */
  start(): void {
    this.#running = this.#run();
  }

  add(jobId: JobId): void {
    this.#added.add(jobId);
    this.#wake();
  }

  remove(jobIds: readonly JobId[]): void {
    for (const jobId of jobIds) this.#removed.add(jobId);
    this.#wake();
  }

  state(): SearchState {
    return { isComplete: this.#isReconciled && this.#added.size === 0, videos: this.#videos };
  }

  async search(query: SearchQuery): Promise<SearchPage> {
    const { isComplete } = this.state();
    const found = await this.#find(query);
    if (found === undefined) return { hits: [], isComplete: false, next: undefined };
    const hits = found.slice(0, query.limit);
    return { hits, isComplete, next: found.length > query.limit ? hits.at(-1) : undefined };
  }

  /** Ends running work and closes the file. May be called twice. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await (this.#session?.interruptDuring(this.#running) ?? this.#running);
  }

  /** Undefined while there is no index to search. */
  async #find(query: SearchQuery): Promise<readonly SearchHit[] | undefined> {
    const session = this.#session;
    try {
      return await session?.search({ ...query, without: new Set(this.#removed) });
    } catch (cause) {
      if (cause instanceof ServiceError) throw cause;
      if (session !== this.#session || this.#stop.signal.aborted) return undefined;
      if (!DAMAGED.test(messageOf(cause))) {
        throw new ServiceError('store_unavailable', 'the search index cannot be read now', { cause, retryable: true });
      }
      this.#fault = cause;
      this.#isReconciled = false;
      this.#wake();
      return undefined;
    }
  }

  async #run(): Promise<void> {
    const { path, log } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#keep();
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error }, 'the search index failed and is opened again');
        if (DAMAGED.test(messageOf(error))) await deleteIndex(path).catch(() => undefined);
        await delay(this.#pauseMs, undefined, { signal }).catch(() => undefined);
        this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
      }
    }
  }

  async #keep(): Promise<void> {
    const { path, source, log, onStep } = this.#options;
    const { signal } = this.#stop;
    const session = await IndexSession.open(path);
    try {
      const { writer } = session;
      this.#session = session;
      const keeper = new IndexKeeper({ writer, source, log, signal, onStep, beforeBatch: () => this.#catchUp(keeper) });
      await keeper.reconcile();
      this.#isReconciled = true;
      await this.#catchUp(keeper);
      this.#pauseMs = FIRST_PAUSE_MS;
      log.info({ videos: this.#videos }, 'the search index is complete');
      while (!signal.aborted) {
        await this.#work();
        await this.#catchUp(keeper);
        await keeper.sortPostings();
      }
    } finally {
      this.#isReconciled = false;
      this.#session = undefined;
      this.#fault = undefined;
      await session.close();
    }
  }

  /** Adds and removes the waiting jobs. */
  async #catchUp(keeper: IndexKeeper): Promise<void> {
    const [removed, added] = [[...this.#removed], [...this.#added]];
    await keeper.remove(removed);
    for (const jobId of removed) this.#removed.delete(jobId);
    await keeper.add(added);
    for (const jobId of added) this.#added.delete(jobId);
    this.#videos = await keeper.count();
  }

  /** Resolves when a job waits. Rejects when a search has found damage. */
  async #work(): Promise<void> {
    while (this.#added.size + this.#removed.size === 0 && !this.#stop.signal.aborted) {
      if (this.#fault !== undefined) {
        const fault = this.#fault;
        this.#fault = undefined;
        throw fault;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
