import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeVideo } from '../make-video.ts';

/**
 * Read from a picture, letters are mixed up and spaces lost; so many of these in one place are no accident. No part is
 * of digits or of a to f alone: times, numbers and ids show every such one sooner or later.
 */
const SECRET = 'XYLOPHONE VORTEX QUARTZ';
const PARTS = ['xyloph', 'lophone', 'vortex', 'quartz'];

/** The video beside the service's inputs, wherever it is made. */
export const CANARY_PICTURE = {
  width: 640,
  height: 96,
  frames: 12,
  picture: 'color=color=gray',
  captions: [{ text: SECRET, x: 16, y: 24, size: 44, box: 'black' }],
} as const;

export interface Canaries {
  /** Absolute path of a video whose name a hostile file can know. */
  readonly videoPath: string;
  /** Names of the files, in the folder that was given. */
  readonly names: readonly string[];
}

/** Puts files beside the service's inputs that no job may open: a video under a well-known name, and a text. */
export async function placeCanaries(folder: string): Promise<Canaries> {
  const videoPath = join(folder, 'secret.ts');
  makeVideo({ ...CANARY_PICTURE, path: videoPath });
  await writeFile(join(folder, 'secret.txt'), `${SECRET}\n`);
  return { videoPath, names: ['secret.ts', 'secret.txt'] };
}

/** True when a result or a message shows what is in a canary. */
export function showsCanary(text: string): boolean {
  const letters = text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return PARTS.some((part) => letters.includes(part));
}
