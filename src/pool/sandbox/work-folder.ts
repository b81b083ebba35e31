import { mkdir, rm } from 'node:fs/promises';
import { VideoFolder } from './video-folder.ts';

/** The parent of the children's folders. Its old content is deleted at its first use. */
export class WorkFolder {
  readonly #path: string;
  #emptied: Promise<void> | undefined;

  /** @param path on the disk of the videos; used by this process only */
  constructor(path: string) {
    this.#path = path;
  }

  /** Creates a folder for a child. */
  async makeVideoFolder(): Promise<VideoFolder> {
    this.#emptied ??= this.#empty();
    try {
      await this.#emptied;
    } catch (error) {
      this.#emptied = undefined;
      throw error;
    }
    return VideoFolder.make(this.#path);
  }

  async remove(): Promise<void> {
    await this.#emptied?.catch(() => undefined);
    await rm(this.#path, { recursive: true, force: true });
  }

  async #empty(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
  }
}
