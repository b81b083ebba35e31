import { mkdir, rm } from 'node:fs/promises';
import { VideoFolder } from './video-folder.ts';

/** The folder in which each child has one. What an earlier process left in it is deleted when it is first used. */
export class WorkFolder {
  readonly #path: string;
  #emptied: Promise<void> | undefined;

  /** @param path on the disk of the videos; this process's alone */
  constructor(path: string) {
    this.#path = path;
  }

  /** Makes a folder for a child. */
  async makeVideoFolder(): Promise<VideoFolder> {
    this.#emptied ??= this.#empty();
    await this.#emptied;
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
