import { mkdir, readdir, readFile, writeFile, chmod } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../src/config.ts';
import { analysisPaths } from '../../src/local/analysis-record.ts';
import { LocalAnalyser } from '../../src/local/local-analyser.ts';
import { createLog } from '../../src/log.ts';
import { makeVideo } from '../../tools/make-video.ts';

/** The compiled command line. */
const REELSTATE = fileURLToPath(new URL('../../src/cli/reelstate.js', import.meta.url));

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
  for (const camera of ['camera-0', 'camera-1']) await mkdir(join(expectedIn, camera), { recursive: true });
  const config = parseConfig({ PIPELINE_THREADS: '1' });
  const paths = videos.map((video) => join(folder, video));
  await using analyser = await LocalAnalyser.open(config, createLog('silent'), paths);
  for (const [index, video] of videos.entries()) {
    const { kind } = await analyser.analyse({
      videoPath: paths[index] ?? '',
      pipelineId: 'ocr_only',
      options: { frame_stride: 1 },
      target: analysisPaths(join(expectedIn, dirname(video)), basename(video, '.mp4')),
      signal: new AbortController().signal,
    });
    if (kind !== 'completed') throw new Error(`${video} ${kind}`);
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
