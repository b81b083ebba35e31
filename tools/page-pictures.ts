/**
 * Pictures of every page in every state at three sizes in both colour schemes, each checked with axe:
 * `npm run pictures [folder] [part of a name]`; default .build/pictures.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import type { JobId } from '../src/job.ts';
import { messageOf } from '../src/errors.ts';
import { followJob, submitVideo } from './job-requests.ts';
import { makeVideo } from './make-video.ts';
import { findings, overflows } from './page-faults.ts';
import {
  KEY_SETTINGS,
  shotsOfEnded,
  shotsOfKeys,
  shotsOfNothing,
  shotsOfRunning,
  type EndedJobs,
  type Shot,
} from './page-shots.ts';
import { makeSampleLecture } from './sample-lecture.ts';
import { startService, type ServiceProcess } from './service-process.ts';
import { readPicture } from './still-picture.ts';

const CHROMIUM = '/usr/bin/chromium';
const WITHIN_MS = 3_600_000;
const SIZES = { phone: [390, 844], desktop: [1280, 800], wide: [1920, 1080] } as const;
const LONG_NAME = `${'Donaudampfschifffahrtsgesellschaft'.repeat(3)}.mp4`;
const RTL_NAME = 'محاضرة في الخوارزميات وهياكل البيانات.mp4';
const PERSON = fileURLToPath(new URL('docs/images/found-person.jpg', import.meta.resolve('#package.json')));

async function main([folder = '.build/pictures', only = '']: readonly string[]): Promise<void> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const work = await mkdtemp(path.join(tmpdir(), 'reelstate-pictures-'));
  await mkdir(folder, { recursive: true });
  await makeVideos(work);
  const start = (name: string, settings = {}) =>
    startService({ dataDir: path.join(work, name), signal, settings: { LOG_LEVEL: 'warn', ...settings } });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  const faults: string[] = [];
  const takeAll = async (service: ServiceProcess, shots: readonly Shot[]): Promise<void> => {
    for (const shot of shots.filter(({ name }) => name.includes(only)))
      faults.push(...(await take(browser, service, shot, folder)));
  };
  try {
    const locked = await start('keys', KEY_SETTINGS);
    try {
      await takeAll(locked, shotsOfKeys());
    } finally {
      await locked.kill();
    }
    const service = await start('data');
    try {
      await takeAll(service, shotsOfNothing());
      const ended = await endedJobs(service, work, signal);
      const long = await startLongJob(service, work, signal);
      await takeAll(service, shotsOfRunning(long.running));
      await cancel(service, [long.waiting, long.running], signal);
      await takeAll(service, shotsOfEnded({ ...ended, cancelled: long.running }));
    } finally {
      await service.kill();
    }
  } finally {
    await browser.close();
    await rm(work, { recursive: true, force: true });
  }
  if (faults.length > 0) throw new Error(`${faults.length} findings of axe or elements wider than the page`);
}

/** The videos are made before the first is sent: making one blocks, and the service closes connections that rest. */
async function makeVideos(work: string): Promise<void> {
  const at = (name: string): string => path.join(work, name);
  await writeFile(
    at('broken-recording.mp4'),
    Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isommp41', 'latin1'), Buffer.alloc(500)]),
  );
  const sky = 'gradients=c0=0x9ec9e8:c1=0x2f6f4f:x0=320:y0=0:x1=320:y1=360:seed=2';
  makeVideo({
    path: at('drone-flight.mp4'),
    width: 640,
    height: 360,
    frames: 50,
    codec: 'hevc',
    picture: sky,
    captions: [
      { text: 'Altitude 120 m', x: 30, y: 30, size: 32, box: 'black', to: 24 },
      { text: 'Altitude 140 m', x: 30, y: 30, size: 32, box: 'black', from: 25 },
    ],
  });
  makeVideo({
    path: at('phone-clip.mp4'),
    width: 480,
    height: 854,
    frames: 50,
    picture: 'gradients=c0=0x2a7a6a:c1=0x184a6a:seed=3',
    captions: [
      { text: 'Platform 4', x: 40, y: 120, size: 56, box: 'black' },
      { text: 'Mind the gap', x: 40, y: 700, size: 40, box: 'navy', from: 20 },
    ],
  });
  const { width, height, rgb } = readPicture(PERSON);
  const empty = new Uint8Array(rgb.length).fill(70);
  makeVideo({
    path: at('entrance.mp4'),
    width,
    height,
    frames: 50,
    picture: (index) => (index % 25 < 10 ? empty : rgb),
  });
  for (const name of ['deleted.mp4', LONG_NAME, RTL_NAME])
    makeVideo({ path: at(name), width: 320, height: 180, frames: 2, picture: 'color=color=teal' });
  for (const name of ['street-camera.mp4', 'tomorrow.mp4'])
    makeVideo({ path: at(name), width: 320, height: 192, frames: 600, picture: 'mandelbrot=start_scale=0.9' });
  makeSampleLecture(at('lecture-7-shortest-paths.mp4'));
}

async function endedJobs(
  { url }: ServiceProcess,
  work: string,
  signal: AbortSignal,
): Promise<Omit<EndedJobs, 'cancelled'>> {
  const run = async (name: string, pipelineId = 'ocr_only'): Promise<JobId> => {
    const jobId = await submitVideo({ url, signal, videoPath: path.join(work, name), pipelineId, frameStride: 5 });
    await followJob(jobId, { url, signal }, () => undefined);
    return jobId;
  };
  const deleted = await run('deleted.mp4');
  await fetch(`${url}/video/jobs/${deleted}`, { method: 'DELETE', signal });
  await run(LONG_NAME);
  await run(RTL_NAME);
  return {
    failed: await run('broken-recording.mp4'),
    hevc: await run('drone-flight.mp4'),
    person: await run('entrance.mp4', 'yolo_ocr'),
    portrait: await run('phone-clip.mp4', 'yolo_ocr'),
    lecture: await run('lecture-7-shortest-paths.mp4'),
  };
}

/** Starts a job that takes longer than its pictures, and one that waits for it. */
async function startLongJob({ url }: ServiceProcess, work: string, signal: AbortSignal) {
  const submit = (name: string) =>
    submitVideo({ url, signal, videoPath: path.join(work, name), pipelineId: 'ocr_only' });
  return { running: await submit('street-camera.mp4'), waiting: await submit('tomorrow.mp4') };
}

async function cancel({ url }: ServiceProcess, jobIds: readonly JobId[], signal: AbortSignal): Promise<void> {
  for (const jobId of jobIds) await fetch(`${url}/video/cancel/${jobId}`, { method: 'POST', signal });
}

/** Opens the state once, and takes it at every size in both schemes. Returns the faults. */
async function take(browser: Browser, { url }: ServiceProcess, shot: Shot, folder: string): Promise<readonly string[]> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(WITHIN_MS);
    if (shot.key !== undefined) {
      await page.goto(`${url}/sign-in`);
      await page.getByLabel('Key').fill(shot.key);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
    }
    await page.goto(url + shot.path);
    await page.locator(shot.sign).first().waitFor({ state: 'attached' });
    await shot.prepare?.(page);
    await page.waitForFunction('[...document.images].every(({ complete, loading }) => complete || loading === "lazy")');
    await page.waitForLoadState('networkidle');
    const faults: string[] = [];
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      await page.setViewportSize({ width, height });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        const file = `${shot.name}-${size}-${colorScheme}.png`;
        await page.screenshot({ path: path.join(folder, file), animations: 'disabled' });
        const found = [...(await overflows(page)), ...(await findings(page))];
        faults.push(...found.map((fault) => `${file}: ${fault}`));
        console.log([file, ...found].join('\n  '));
      }
    }
    return faults;
  } finally {
    await context.close();
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`pictures failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
