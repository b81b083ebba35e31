import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Paths are arguments of each child process, and the kernel limits the size of all arguments together. */
const MAX_PATHS = 500;

/** Returns the videos; of more than 500, their folders. */
export function readableVideos(videos: readonly string[]): readonly string[] {
  return videos.length <= MAX_PATHS ? videos : readableFolders(videos);
}

/**
 * Returns the real folders of the videos; of more than 500 folders, the ones above. A folder also covers a video that
 * is replaced later.
 */
export function readableFolders(videos: readonly string[]): readonly string[] {
  let folders = new Set(videos.map((video) => dirname(realPathOf(video))));
  while (folders.size > MAX_PATHS) folders = new Set([...folders].map((folder) => dirname(folder)));
  return [...folders];
}

function realPathOf(video: string): string {
  try {
    return realpathSync.native(video);
  } catch {
    // A video that is missing is reported later.
    return resolve(video);
  }
}
