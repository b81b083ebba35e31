import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeVideo } from '../../tools/make-video.ts';

/** The compiled command line. */
const REELSTATE = fileURLToPath(new URL('../../src/cli/reelstate.js', import.meta.url));
const THREADS = '1';
const run = promisify(execFile);

/** The recipe of that name. */
export const recipe = (name: string): string =>
  fileURLToPath(new URL(`tools/scale/${name}`, import.meta.resolve('#package.json')));

/** The text in a video of that position in the list. */
export const captionOf = (index: number): string => `CLIP${100 + index}`;

/** Short videos in two folders, their list, the program as a command, and what one machine finds in them. */
export interface ScaledVideos {
  /** With `videos.txt`: paths relative to it. */
  readonly folder: string;
  readonly count: number;
  /** A program that runs the compiled command line. */
  readonly reelstate: string;
  /** Bytes of each file below `output`, by its path: equal for two undisturbed runs. */
  outcome(output: string): Promise<ReadonlyMap<string, string>>;
  /** The same from one process on one machine. */
  readonly expected: ReadonlyMap<string, string>;
}

export async function makeScaledVideos(folder: string, count: number): Promise<ScaledVideos> {
  const reelstate = join(folder, 'reelstate');
  await writeFile(reelstate, `#!/bin/sh\nexec '${process.execPath}' '${REELSTATE}' "$@"\n`);
  await chmod(reelstate, 0o755);
  const videos = Array.from({ length: count }, (_, index) => join(`camera-${index % 2}`, `clip-${index >> 1}.mp4`));
  for (const camera of ['camera-0', 'camera-1']) await mkdir(join(folder, camera));
  for (const [index, video] of videos.entries()) {
    const captions = [{ text: captionOf(index), x: 10, y: 15, size: 30 }];
    makeVideo({ path: join(folder, video), width: 160, height: 64, frames: 2, picture: 'color=c=navy', captions });
  }
  await writeFile(join(folder, 'videos.txt'), videos.map((video) => `${video}\n`).join(''));
  const expectedIn = join(folder, 'expected');
  for (const camera of ['camera-0', 'camera-1']) {
    await mkdir(join(expectedIn, camera), { recursive: true });
    const inCamera = videos.filter((video) => video.startsWith(camera));
    await run(reelstate, ['analyse', '--threads', THREADS, '--output', join(expectedIn, camera), ...inCamera], {
      cwd: folder,
    });
  }
  return { folder, count, reelstate, outcome, expected: await outcome(expectedIn) };
}

async function outcome(output: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(output, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json'));
  return new Map(
    await Promise.all(
      files.map(async (entry): Promise<[string, string]> => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(output.length + 1), await readFile(path, 'utf8')];
      }),
    ),
  );
}

/** Videos whose record, which is written last, is there. */
export const done = (files: ReadonlyMap<string, string>): number =>
  [...files.keys()].filter((path) => path.endsWith('_analysis.json')).length;
