import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { messageOf } from '../src/errors.ts';
import type { FrameResult } from '../src/job.ts';
import { followJob, resultsOf, submitVideo } from './job-requests.ts';
import { makeVideo } from './make-video.ts';
import { startService } from './service-process.ts';

const WITHIN_MS = 600_000;
const FRAMES = 100;
const STRIDE = 20;
const BAR_CELLS = 30;

const startedMs = performance.now();

async function main(): Promise<void> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));
  const signal = AbortSignal.any([AbortSignal.timeout(WITHIN_MS), interrupted.signal]);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'reelstate-demo-'));
  const dataDir = path.join(folder, 'data');
  const videoPath = path.join(folder, 'demo.mp4');

  makeDemoVideo(videoPath);
  say(`made ${videoPath}: 4 seconds of text that moves`);
  const service = await startService({ dataDir, signal });
  say(`service ready at ${service.url}, data in ${dataDir}`);
  try {
    const request = { url: service.url, signal };
    const jobId = await submitVideo({ ...request, videoPath, pipelineId: 'ocr_only', frameStride: STRIDE, onProgress });
    say(`accepted as job ${jobId}`);
    // The state after a 202; a worker may have started the job since.
    say('pending   progress 0.0');
    const { status, error_message: message } = await followJob(jobId, request, (seen) => {
      if (seen.status !== 'pending') say(`${seen.status.padEnd(9)} progress ${seen.progress.toFixed(1)}`);
    });
    if (status === 'failed') throw new Error(`the job failed: ${message}`);
    printFrames(await resultsOf(jobId, request));
    console.log(`\nResults: ${path.join(dataDir, 'video_jobs', `${jobId}_results.json`)}`);
  } finally {
    const code = await service.stop();
    say(`service stopped, exit code ${code}`);
    if (code !== 0) process.exitCode = 1;
  }
}

/** A moving title, changing captions and a counting number over a moving picture. */
function makeDemoVideo(videoPath: string): void {
  makeVideo({
    path: videoPath,
    width: 1280,
    height: 720,
    frames: FRAMES,
    picture: 'mandelbrot=maxiter=200:end_pts=100',
    captions: [
      { text: 'REELSTATE', x: '40+n*6', y: 60, size: 72, box: 'black' },
      { text: 'Upload a video', from: 0, to: 39, x: '(w-text_w)/2', y: 560, size: 56, box: 'navy' },
      { text: 'Poll its job', from: 40, to: 79, x: '(w-text_w)/2', y: 560, size: 56, box: 'navy' },
      { text: 'Fetch the results', from: 80, x: '(w-text_w)/2', y: 560, size: 56, box: 'navy' },
      { text: 'Scene 27, take 3', x: 40, y: '480-n*3', size: 32, color: 'yellow', box: 'black' },
    ],
  });
}

/** A progress bar that is redrawn on a terminal, and printed once when complete elsewhere. */
function onProgress(sentBytes: number, allBytes: number): void {
  const full = sentBytes === allBytes;
  if (!process.stdout.isTTY && !full) return;
  const cells = Math.round((BAR_CELLS * sentBytes) / allBytes);
  const bar = '#'.repeat(cells).padEnd(BAR_CELLS, '.');
  const size = `${(sentBytes / 1024).toFixed(0)} of ${(allBytes / 1024).toFixed(0)} KiB`;
  process.stdout.write(`${process.stdout.isTTY ? '\r' : ''}${elapsed()}  upload [${bar}] ${size}${full ? '\n' : ''}`);
}

function printFrames(frames: readonly FrameResult[]): void {
  console.log('\n frame    time  confidence  text');
  for (const { frame_index: index, result } of frames) {
    const time = `${(result.timestamp_ms / 1000).toFixed(2)} s`;
    const lines = result.lines ?? [];
    if (lines.length === 0) console.log(`${String(index).padStart(6)}${time.padStart(8)}              (no text)`);
    lines.forEach(({ text, confidence }, at) => {
      const place = at === 0 ? `${String(index).padStart(6)}${time.padStart(8)}` : ' '.repeat(14);
      console.log(`${place}${confidence.toFixed(2).padStart(12)}  ${text}`);
    });
  }
}

function say(what: string): void {
  console.log(`${elapsed()}  ${what}`);
}

function elapsed(): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s`;
}

try {
  await main();
} catch (error) {
  console.error(`demo failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
