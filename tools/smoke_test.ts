import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import type { FrameResult } from '../src/job.ts';
import { followJob, resultsOf, submitVideo } from './job-requests.ts';
import { makeVideo } from './make-video.ts';
import { startService } from './service-process.ts';

const HELP = `Usage: npm run smoke -- [URL]

Submits a real video to a running service, follows its job and checks the results. Without a URL (here or in SMOKE_URL)
it starts a service of its own with a temporary data folder. Exit code 0 when every step passed, 1 otherwise.`;

/** Milliseconds for the whole test. */
const WITHIN_MS = 600_000;
const FRAMES = 10;
const STRIDE = 4;
const TEXT = 'Reelstate 4711';

const PROGRESS = { pending: 0, running: 0.5, completed: 1, failed: 1 } as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', default: false } },
  });
  if (values.help) return console.log(HELP);
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));
  const signal = AbortSignal.any([AbortSignal.timeout(WITHIN_MS), interrupted.signal]);
  const given = positionals[0] ?? process.env['SMOKE_URL'];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'reelstate-smoke-'));
  try {
    const videoPath = path.join(folder, 'smoke.mp4');
    await step('make a video', async () => makeSmokeVideo(videoPath));
    if (given !== undefined) return await runSteps(given.replace(/\/$/, ''), videoPath, signal);
    const service = await step('start a service', () => startService({ dataDir: path.join(folder, 'data'), signal }));
    try {
      await runSteps(service.url, videoPath, signal);
    } finally {
      await step('stop the service', async () => expectEqual(await service.stop(), 0, 'exit code'));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runSteps(url: string, videoPath: string, signal: AbortSignal): Promise<void> {
  const request = { url, signal };
  const jobId = await step('submit', () =>
    submitVideo({ ...request, videoPath, pipelineId: 'ocr_only', frameStride: STRIDE }),
  );
  await step('status to completion', async () => {
    const last = await followJob(jobId, request, ({ status, progress }) =>
      expectEqual(progress, PROGRESS[status], `progress while ${status}`),
    );
    if (last.status === 'failed') throw new Error(`the job failed: ${last.error_code} ${last.error_message}`);
  });
  const results = await step('results', () => resultsOf(jobId, request));
  await step('frames sampled', async () =>
    expectEqual(results.map((frame) => frame.frame_index).join(), '0,4,8', 'frame indices'),
  );
  await step('text read', async () => results.forEach(checkText));
}

function makeSmokeVideo(videoPath: string): void {
  const captions = [{ text: TEXT, size: 48, box: 'black' }];
  makeVideo({ path: videoPath, width: 640, height: 360, frames: FRAMES, captions });
}

function checkText({ frame_index: index, result }: FrameResult): void {
  expectEqual(
    result.text?.includes(TEXT),
    true,
    `"${TEXT}" in frame ${index}, which reads ${JSON.stringify(result.text)}`,
  );
  expectEqual(result.lines?.map((line) => line.text).join('\n'), result.text, `text and lines of frame ${index}`);
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${String(expected)}, got ${String(actual)}`);
}

/** Runs one step and prints its result. */
async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const line = (verdict: string): string =>
    `${verdict} ${(performance.now() - startedMs).toFixed(0).padStart(6)} ms  ${name}`;
  try {
    const value = await work();
    console.log(line('PASS'));
    return value;
  } catch (error) {
    console.log(`${line('FAIL')}: ${messageOf(error)}`);
    throw error;
  }
}

try {
  await main();
} catch (error) {
  console.error(`smoke test failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
