import { syncPath } from './durable-file.ts';

/** Group commit for folders: one fsync serves everyone who asked before it began, so fifty renames cost one or two. */
export class FolderSync {
  /** The last fsync begun, by folder; there are few folders. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();

  /** Resolves when every entry that the folder has now is durable. */
  sync(folder: string): Promise<void> {
    const waiting = this.#waiting.get(folder);
    if (waiting !== undefined) return waiting;
    const next = this.#after(folder);
    this.#waiting.set(folder, next);
    return next;
  }

  async #after(folder: string): Promise<void> {
    // What becomes of the one before is the business of those who asked for it.
    await this.#running.get(folder)?.catch(() => undefined);
    this.#waiting.delete(folder);
    const running = syncPath(folder);
    this.#running.set(folder, running);
    await running;
  }
}
