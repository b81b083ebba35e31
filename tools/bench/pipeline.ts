/** `node dist/tools/bench/pipeline.js`: decoding, reading and detecting, each beside the usual program where that is installed. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAnalyser } from '../../src/pipeline/analyser.ts';
import { decodeFrames } from '../../src/pipeline/decode.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { makeVideo } from '../make-video.ts';
import { median, print } from './figures.ts';

const ROUNDS = 5;
const FRAMES = 450;
const LINES = [
  { text: 'BREAKING NEWS', x: 60, y: 560, size: 44, box: 'red' },
  { text: 'Parliament votes on the new budget today', x: 60, y: 630, size: 36, box: 'black' },
  { text: 'HOME 3 - 2 AWAY', x: 40, y: 36, size: 32, box: 'black' },
] as const;

const folder = await mkdtemp(join(tmpdir(), 'reelstate-bench-'));
try {
  const video = join(folder, 'video.mp4');
  makeVideo({
    path: video,
    width: 1280,
    height: 720,
    frames: FRAMES,
    picture: 'mandelbrot=start_scale=0.9',
    captions: LINES,
    encoderOptions: { preset: 'veryfast', crf: 23 },
  });
  benchDecoding(video);
  const { frames } = sample(video, 45);
  await benchAnalysis(frames);
  await benchTesseract(frames);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** One thread each and nothing kept; CPU seconds, since the wall depends on who else is at work. */
function benchDecoding(video: string): void {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(sample(video, FRAMES).cpuSeconds);
    const run = spawnSync('ffmpeg', ['-benchmark', '-threads', '1', '-i', video, '-f', 'null', '-'], {
      encoding: 'utf8',
    });
    const [, user = '', system = ''] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(run.stderr ?? '') ?? [];
    if (user !== '') theirs.push(Number(user) + Number(system));
  }
  const [us, them] = [median(ours), median(theirs)];
  print('decode 1280x720 H.264, ours', `${us.toFixed(2)} CPU s, ${(FRAMES / us).toFixed(0)} frames per CPU second`);
  if (theirs.length === 0) print('decode, ffmpeg', 'not installed');
  else print('decode, ffmpeg', `${them.toFixed(2)} CPU s; ours is ${(us / them).toFixed(2)} times that`);
}

function sample(path: string, frameStride: number): { readonly frames: readonly Frame[]; readonly cpuSeconds: number } {
  const before = process.cpuUsage();
  const frames = [...decodeFrames(path, { frameStride, limits: DEFAULT_VIDEO_LIMITS })];
  const { user, system } = process.cpuUsage(before);
  return { frames, cpuSeconds: (user + system) / 1e6 };
}

async function benchAnalysis(frames: readonly Frame[]): Promise<void> {
  const registry = await PipelineRegistry.open();
  await using sessions = new ModelSessions();
  for (const id of ['ocr_only', 'yolo_ocr']) {
    const analyser = await openAnalyser(registry.get(id), sessions);
    const wrong: number[] = [];
    const cpuMs: number[] = [];
    for (const frame of [frames[0], ...frames]) {
      if (frame === undefined) continue;
      const before = process.cpuUsage();
      const { text } = await analyser.analyse({ ...frame, rgb: jitter(frame.rgb, cpuMs.length) });
      const { user, system } = process.cpuUsage(before);
      cpuMs.push((user + system) / 1e3);
      wrong.push(missing(String(text)));
    }
    const lines = wrong.length * LINES.length;
    // The first one loads and warms up.
    print(
      `${id}, one thread`,
      `${median(cpuMs.slice(1)).toFixed(0)} CPU ms a frame; ${wrong.reduce((a, b) => a + b)} of ${lines} lines misread`,
    );
  }
}

/** Another pixel in each crop, so that none comes from the cache of crops. */
function jitter(rgb: Uint8Array, by: number): Uint8Array {
  const copy = rgb.slice();
  for (let at = 0; at < copy.length; at += 3_001) copy[at] = Math.min(255, (copy[at] ?? 0) + by);
  return copy;
}

/** Lines that were not read as they are written. */
function missing(text: string): number {
  return LINES.filter((line) => !text.includes(line.text)).length;
}

async function benchTesseract(frames: readonly Frame[]): Promise<void> {
  const cpuMs: number[] = [];
  let wrong = 0;
  for (const [index, { width, height, rgb }] of frames.entries()) {
    const path = join(folder, `${index}.ppm`);
    await writeFile(path, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]));
    const started = performance.now();
    const run = spawnSync('tesseract', [path, '-'], {
      encoding: 'utf8',
      env: { ...process.env, OMP_THREAD_LIMIT: '1' },
    });
    if (run.error !== undefined) return print('tesseract', 'not installed');
    cpuMs.push(performance.now() - started);
    wrong += missing(run.stdout);
  }
  print(
    'tesseract, one thread',
    `${median(cpuMs).toFixed(0)} ms a frame; ${wrong} of ${frames.length * LINES.length} lines misread`,
  );
}
