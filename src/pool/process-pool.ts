import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';

import { ServiceError, type ErrorCode } from '../errors.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { EncodedPicture } from '../pipeline/pictures.ts';
import { errorOfMemoryLimit } from './child-errors.ts';
import type { ChildHandle } from './child-handle.ts';
import { picturesFrom } from './child-look.ts';
import { ChildJob, type Results } from './child-job.ts';
import { ChildStarter, type ChildNeeds, type ChildStarterOptions } from './child-starter.ts';
import type { IsolationLevel } from './isolation.ts';
import { usedMemoryOf } from './process-status.ts';
import type { LookRequest, OpenRequest } from './protocol.ts';
import { unlessAborted } from './unless-aborted.ts';

export interface ProcessPoolOptions extends ChildStarterOptions {
  /** Number of children, which is the number of concurrent jobs. */
  readonly size: number;
  /** True: children start on demand. */
  readonly isLazy?: boolean;
  /** Inference threads in each child. */
  readonly threads: number;
  /** A job stalls when no frame is decoded and no result produced for this long. */
  readonly stallTimeoutMs: number;
  /** A child is replaced after this many jobs, because native code may leak memory. */
  readonly recycleAfterJobs: number;
  /** Pipelines whose models a child loads before its first job; others load theirs at their first run. */
  readonly warmUp: readonly PipelineDefinition[];
}

/** A job, without what the pool adds. */
export type JobRequest = Omit<OpenRequest, 'memoryBytes' | 'oneFrameAtATime'>;

/** Milliseconds before a refused fork is retried: the first wait, doubled each time, and the longest. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/** After these errors a child can be reused, because it only rejected a video. After any other error it is replaced. */
const VERDICTS_ON_VIDEOS: ReadonlySet<ErrorCode> = new Set(['invalid_video', 'too_large', 'input_missing']);

/** A place for one child process, running or starting. */
interface Slot {
  /** Undefined: none was started since the last one failed. */
  child: Promise<ChildHandle> | undefined;
}

/**
 * A pool of ready child processes, each used by one job at a time. A child that died or was killed is replaced at once.
 */
export class ProcessPool implements AsyncDisposable {
  readonly size: number;
  readonly #options: ProcessPoolOptions;
  readonly #starter: ChildStarter;
  readonly #slots: Slot[] = [];
  readonly #free: Slot[] = [];
  readonly #waiters = new Set<(slot: Slot) => void>();
  readonly #children = new Set<ChildHandle>();
  readonly #closing = new AbortController();
  #started = 0;
  #ffmpeg: string | undefined;
  #ready: Promise<void> = Promise.resolve();
  #isReady = false;

  private constructor(options: ProcessPoolOptions) {
    this.#options = options;
    this.size = options.size;
    this.#starter = new ChildStarter(options);
    // Every running job and every starting child adds a listener.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * Starts all children and returns at once, so that a service can serve reads meanwhile. Jobs before {@link ready}
   * wait for their child. The caller awaits `ready`, which may reject, and closes the pool.
   */
  static open(options: ProcessPoolOptions): ProcessPool {
    const pool = new ProcessPool(options);
    const isLazy = options.isLazy === true;
    const starts = isLazy ? [] : Array.from({ length: options.size }, async () => pool.#startFirst());
    pool.#slots.push(...Array.from({ length: options.size }, (_, at) => ({ child: starts[at] })));
    pool.#free.push(...pool.#slots);
    pool.#ready = pool.#allWarm(starts);
    // The caller may await it later.
    pool.#ready.catch(() => {});
    return pool;
  }

  /**
   * Resolves when every child was ready once. There is no time limit, and a temporarily refused fork is retried until
   * it succeeds or the pool is closed. Rejects if a child cannot be started with these settings: `child_unavailable`
   * (its message quotes the child's output and is only for the log), `invalid_model` or `invalid_pipeline`.
   */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** True once {@link ready} has resolved; stays true when a child is replaced. */
  isReady(): boolean {
    return this.#isReady;
  }

  /** Names of the active sandbox layers. */
  get levels(): readonly IsolationLevel[] {
    return this.#starter.levels;
  }

  /** Version of the children's FFmpeg; undefined before one has started. */
  get ffmpeg(): string | undefined {
    return this.#ffmpeg;
  }

  /** Number of children started to replace others. */
  get restarts(): number {
    return Math.max(0, this.#started - this.size);
  }

  /** Process ids of the living children. */
  pids(): number[] {
    return [...this.#children].map((child) => child.pid);
  }

  /**
   * Runs one job in the next free child and yields its results in frame order. A job that runs out of memory is
   * repeated in a new child with one inference thread and one frame at a time; it rejects with `memory_limit` if that
   * fails too. The child is killed if the job is aborted, stalls, or its results are not read to the end.
   */
  async *run(request: JobRequest, signal?: AbortSignal): Results {
    const { memoryBytes, stallTimeoutMs, log } = this.#options;
    const given = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const slot = await this.#take(given);
    let child: ChildHandle | undefined;
    let reusable = false;
    try {
      child = await unlessAborted(this.#warm(slot), given);
      const open = { ...request, memoryBytes, oneFrameAtATime: false };
      const job = new ChildJob({ child, request: open, stallTimeoutMs, signal: given });
      try {
        return yield* job.results();
      } catch (error) {
        reusable = error instanceof ServiceError && VERDICTS_ON_VIDEOS.has(error.code);
        if (!reusable) log.warn({ pid: child.pid, err: error }, 'child killed');
        if (!(error instanceof ServiceError) || error.code !== 'memory_limit') throw error;
        await this.#end(child);
        return yield* this.#runFrugally(request, job.yielded, given);
      } finally {
        reusable ||= job.isDone;
      }
    } finally {
      await this.#giveBack(slot, child, reusable);
    }
  }

  /** Creates pictures in the next free child. Kills it if this is aborted, stalls, or is not read to the end. */
  async *look(request: LookRequest, signal?: AbortSignal): AsyncGenerator<EncodedPicture, void> {
    const { memoryBytes, stallTimeoutMs } = this.#options;
    const given = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const slot = await this.#take(given);
    let child: ChildHandle | undefined;
    let reusable = false;
    try {
      child = await unlessAborted(this.#warm(slot), given);
      yield* picturesFrom({ child, request, memoryBytes, stallTimeoutMs, signal: given });
      reusable = true;
    } catch (error) {
      reusable = error instanceof ServiceError && VERDICTS_ON_VIDEOS.has(error.code);
      throw error;
    } finally {
      await this.#giveBack(slot, child, reusable);
    }
  }

  /** Skips the first results, which are the same in every mode. */
  async *#runFrugally(request: JobRequest, skip: number, signal: AbortSignal): Results {
    const { memoryBytes, stallTimeoutMs } = this.#options;
    const child = await this.#start({ threads: 1, warmUp: [request.definition] }, signal);
    const open = { ...request, memoryBytes, oneFrameAtATime: true };
    try {
      return yield* new ChildJob({ child, request: open, stallTimeoutMs, signal, skip }).results();
    } catch (error) {
      const isLimit = error instanceof ServiceError && error.code === 'memory_limit';
      throw isLimit ? errorOfMemoryLimit(memoryBytes, error) : error;
    } finally {
      await this.#end(child);
    }
  }

  /** Kills every child. Running jobs end as `interrupted`. */
  async close(): Promise<void> {
    this.#closing.abort(new ServiceError('interrupted', 'the service is shutting down', { retryable: true }));
    await Promise.allSettled(this.#slots.map(async ({ child }) => child));
    await Promise.all([...this.#children].map(async (child) => this.#end(child)));
    await this.#starter.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #allWarm(starts: readonly Promise<ChildHandle>[]): Promise<void> {
    await Promise.all(starts);
    this.#isReady = true;
  }

  /** Starts a child before a job needs it. */
  async #startFirst(): Promise<ChildHandle> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
      try {
        return await this.#start();
      } catch (error) {
        if (!(error instanceof ServiceError) || error.code !== 'child_unavailable' || !error.retryable) throw error;
        this.#options.log.warn({ err: error, retry_in_ms: waitMs }, 'a child could not be started; trying again');
        const { signal } = this.#closing;
        await setTimeout(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  async #start(needs: ChildNeeds = this.#options, signal = this.#closing.signal): Promise<ChildHandle> {
    const child = await this.#starter.start(needs, signal);
    this.#children.add(child);
    this.#ffmpeg = child.ffmpeg;
    this.#started += 1;
    if (this.#closing.signal.aborted) await this.#end(child);
    return child;
  }

  async #end(child: ChildHandle): Promise<void> {
    await child.kill();
    this.#children.delete(child);
  }

  async #take(signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const free = this.#free.shift();
    if (free !== undefined) return free;
    return new Promise<Slot>((resolve, reject) => {
      const hand = (slot: Slot) => {
        signal.removeEventListener('abort', leave);
        resolve(slot);
      };
      const leave = () => {
        this.#waiters.delete(hand);
        reject(signal.reason);
      };
      this.#waiters.add(hand);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Returns the slot's child, or a new one if it died or could not be started. */
  async #warm(slot: Slot): Promise<ChildHandle> {
    const child = await slot.child?.catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'a child could not be started; trying again');
    });
    if (child?.isAlive() === true) return child;
    if (child !== undefined) await this.#end(child);
    slot.child = this.#start();
    return slot.child;
  }

  async #giveBack(slot: Slot, child: ChildHandle | undefined, reusable: boolean): Promise<void> {
    if (child !== undefined && (!reusable || this.#isWorn(child))) {
      await this.#end(child);
      slot.child = this.#closing.signal.aborted ? undefined : this.#start();
      slot.child?.catch(() => {
        // Reported to the next job, which retries.
      });
    }
    this.#release(slot);
  }

  /**
   * Returns true for a child that has run its number of jobs, or that keeps so much memory that the next job would have
   * much less.
   */
  #isWorn(child: ChildHandle): boolean {
    const { recycleAfterJobs, memoryBytes } = this.#options;
    const mostKept = child.warmBytes + (memoryBytes - child.warmBytes) / 2;
    return child.jobs >= recycleAfterJobs || usedMemoryOf(child.pid) > mostKept;
  }

  #release(slot: Slot): void {
    const [first] = this.#waiters;
    if (first === undefined) {
      this.#free.push(slot);
      return;
    }
    this.#waiters.delete(first);
    first(slot);
  }
}
