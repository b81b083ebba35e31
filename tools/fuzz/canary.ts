import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeVideo } from '../make-video.ts';

/**
 * Text recognition mixes up letters and drops spaces; this many of these in one place are no accident. No part consists
 * of digits or a to f only, because times, numbers and ids contain every such part.
 */
const SECRET = 'XYLOPHONE VORTEX QUARTZ';
const PARTS = ['xyloph', 'lophone', 'vortex', 'quartz'];

/** The video beside the service's inputs. */
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
  /** Names of the files in the given folder. */
  readonly names: readonly string[];
}

/** Creates files beside the service's inputs that no job may open: a video under a known name, and a text. */
export async function placeCanaries(folder: string): Promise<Canaries> {
  const videoPath = join(folder, 'secret.ts');
  makeVideo({ ...CANARY_PICTURE, path: videoPath });
  await writeFile(join(folder, 'secret.txt'), `${SECRET}\n`);
  return { videoPath, names: ['secret.ts', 'secret.txt'] };
}

/** Returns true if a result or message shows the content of a canary. */
export function showsCanary(text: string): boolean {
  const letters = text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return PARTS.some((part) => letters.includes(part));
}
