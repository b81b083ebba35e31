import { open } from 'node:fs/promises';

/** Makes a file's bytes, or a folder's entries, survive a loss of power. */
export async function syncPath(path: string, mode?: number): Promise<void> {
  const handle = await open(path, 'r');
  try {
    if (mode !== undefined) await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Group commit for folders: one fsync serves everyone who asked before it began, so fifty renames cost one or two. */
export class FolderSync {
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
    try {
      await running;
    } finally {
      if (this.#running.get(folder) === running) this.#running.delete(folder);
    }
  }
}
