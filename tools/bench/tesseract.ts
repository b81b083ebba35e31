import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame } from '../../src/pipeline/frame.ts';
import { program } from './cost.ts';

/** Otherwise there are as many threads as cores, which use more CPU than one. */
const ONE_THREAD = { OMP_THREAD_LIMIT: '1' };

/** Reads a frame with the `tesseract` program, through a picture in `folder`; undefined if it is not installed. */
export async function runTesseract({ width, height, rgb }: Frame, folder: string) {
  const path = join(folder, 'frame.ppm');
  await writeFile(path, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]));
  return program('tesseract', [path, '-'], ONE_THREAD);
}
