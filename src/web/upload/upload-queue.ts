import type { AnalysisOptions } from '../../client/analysis-options.ts';
import { Store } from '../shared/store.ts';

export type UploadState = 'waiting' | 'sending' | 'paused' | 'broken' | 'accepted' | 'refused' | 'cancelled';

/** One file of the queue. */
export interface UploadItem {
  /** Idempotency key: a retry after a broken connection creates no second job. */
  readonly key: string;
  readonly file: File;
  readonly pipelineId: string;
  readonly options: AnalysisOptions;
  readonly state: UploadState;
  readonly sentBytes: number;
  /** Number of automatic repetitions after a broken connection. */
  readonly repeats: number;
  /** Set once accepted. */
  readonly jobId: string | null;
  /** Reason of a rejection, for people. */
  readonly reason: string | null;
}

export interface UploadRequest {
  readonly file: File;
  readonly pipelineId: string;
  readonly options: AnalysisOptions;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/** The connection ended before the service responded. */
export class BrokenConnectionError extends Error {}

/** Sends one file. Resolves with its job id; rejects with an Error for people. */
export type SendUpload = (request: UploadRequest) => Promise<string>;

const OVER: ReadonlySet<UploadState> = new Set(['accepted', 'refused', 'cancelled']);

/** Two use a connection better than one; more would only share it. */
const AT_ONCE = 2;
/** A connection that always breaks must not send a large file for ever. */
const MAX_REPEATS = 5;

/** Files that are sent two at a time, in order. Independent of the page. */
export class UploadQueue {
  readonly store = new Store<{ readonly items: readonly UploadItem[] }>({ items: [] });
  readonly #send: SendUpload;
  readonly #newKey: () => string;
  readonly #running = new Map<string, AbortController>();

  constructor({ send, newKey }: { readonly send: SendUpload; readonly newKey: () => string }) {
    this.#send = send;
    this.#newKey = newKey;
  }

  add(files: readonly File[], pipelineId: string, options: AnalysisOptions): void {
    const added = files.map((file): UploadItem => ({
      key: this.#newKey(),
      file,
      pipelineId,
      options,
      state: 'waiting',
      sentBytes: 0,
      repeats: 0,
      jobId: null,
      reason: null,
    }));
    this.store.set({ items: [...this.store.value.items, ...added] });
    this.#next();
  }

  /** Ends the request; `resume` sends the file again from its start. */
  pause(key: string): void {
    this.#leave(key, 'paused');
  }

  cancel(key: string): void {
    this.#leave(key, 'cancelled');
  }

  /** Sends the files whose connection broke. To be called when the service responds again. */
  reconnect(): void {
    for (const { key, state, repeats } of this.store.value.items) {
      if (state !== 'broken') continue;
      this.#change(key, { repeats: repeats + 1 });
      this.resume(key);
    }
  }

  /** Sends a paused, broken, cancelled or rejected file with its key. */
  resume(key: string): void {
    this.#change(key, { state: 'waiting', sentBytes: 0, reason: null });
    this.#next();
  }

  /** Removes finished files from the list. */
  clear(): void {
    this.store.set({ items: this.store.value.items.filter(({ state }) => !OVER.has(state)) });
  }

  #leave(key: string, state: UploadState): void {
    this.#change(key, { state });
    this.#running.get(key)?.abort();
    this.#next();
  }

  #change(key: string, patch: Partial<UploadItem>): void {
    this.store.set({ items: this.store.value.items.map((item) => (item.key === key ? { ...item, ...patch } : item)) });
  }

  #next(): void {
    while (this.#running.size < AT_ONCE) {
      const item = this.store.value.items.find(({ state, key }) => state === 'waiting' && !this.#running.has(key));
      if (item === undefined) return;
      void this.#run(item);
    }
  }

  async #run({ key, file, pipelineId, options, repeats }: UploadItem): Promise<void> {
    const ending = new AbortController();
    const { signal } = ending;
    this.#running.set(key, ending);
    this.#change(key, { state: 'sending' });
    const onProgress = (sentBytes: number): void => {
      if (!signal.aborted) this.#change(key, { sentBytes });
    };
    try {
      const jobId = await this.#send({ file, pipelineId, options, idempotencyKey: key, signal, onProgress });
      this.#change(key, { state: 'accepted', jobId });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const isBroken = error instanceof BrokenConnectionError && repeats < MAX_REPEATS;
      if (!signal.aborted) this.#change(key, { state: isBroken ? 'broken' : 'refused', reason });
    }
    this.#running.delete(key);
    this.#next();
  }
}
