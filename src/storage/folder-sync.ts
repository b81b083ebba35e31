import { syncPath } from './durable-file.ts';

/** Group commit for folders. One fsync serves all requests before it started, so fifty renames need one or two. */
export class FolderSync {
  /** The last fsync per folder; there are few folders. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();

  /** Resolves when all present entries of the folder are durable. */
  sync(folder: string): Promise<void> {
    const waiting = this.#waiting.get(folder);
    if (waiting !== undefined) return waiting;
    const next = this.#after(folder);
    this.#waiting.set(folder, next);
    return next;
  }

  async #after(folder: string): Promise<void> {
    // Errors of the previous fsync are reported to its own callers.
    await this.#running.get(folder)?.catch(() => undefined);
    this.#waiting.delete(folder);
    const running = syncPath(folder);
    this.#running.set(folder, running);
    await running;
  }
}
