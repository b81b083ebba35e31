import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame } from '../../src/pipeline/frame.ts';
import { program } from './cost.ts';

/** Without it there are as many threads as cores, and more CPU is used than by one. */
const ONE_THREAD = { OMP_THREAD_LIMIT: '1' };

/** Reads a frame with the `tesseract` program, by a picture in `folder`; undefined when it is not installed. */
export async function runTesseract({ width, height, rgb }: Frame, folder: string) {
  const path = join(folder, 'frame.ppm');
  await writeFile(path, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]));
  return program('tesseract', [path, '-'], ONE_THREAD);
}
