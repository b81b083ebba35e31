import { constants } from 'node:fs';
import { copyFile, link, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../errors.ts';

/** System errors if a file cannot have two names: other disks, file systems without links, full tables. */
const NO_LINK: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** The folder of one child, with a link to the current video, the only stored file that the child can read. */
export class VideoFolder {
  readonly path: string;
  readonly #video: string;

  private constructor(path: string) {
    this.path = path;
    this.#video = join(path, 'video.mp4');
  }

  /** @param parent on the disk of the videos; on another one, each video is copied */
  static async make(parent: string): Promise<VideoFolder> {
    return new VideoFolder(await mkdtemp(join(parent, 'child-')));
  }

  /** Replaces the video and returns its path in this folder. A missing video stays missing. */
  async show(filePath: string): Promise<string> {
    await this.clear();
    try {
      await link(filePath, this.#video);
    } catch (error) {
      const errno = errnoOf(error) ?? '';
      if (NO_LINK.has(errno)) await copyFile(filePath, this.#video, constants.COPYFILE_FICLONE);
      else if (errno !== 'ENOENT') throw error;
    }
    return this.#video;
  }

  /** Removes the link, so that a deleted video does not stay on the disk. */
  async clear(): Promise<void> {
    await rm(this.#video, { force: true });
  }

  async remove(): Promise<void> {
    // If it cannot be removed now, it is removed with the folder of all children.
    await rm(this.path, { recursive: true, force: true }).catch(() => undefined);
  }
}
