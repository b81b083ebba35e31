/** Pictures of every page in every state: `npm run pictures [folder] [part of a name]`; default .build/pictures. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { JobId } from '../src/job.ts';
import { messageOf } from '../src/errors.ts';
import { followJob, submitVideo } from './job-requests.ts';
import { makeVideo } from './make-video.ts';
import { makeSampleLecture } from './sample-lecture.ts';
import { startService, type ServiceProcess } from './service-process.ts';

const CHROMIUM = '/usr/bin/chromium';
const WITHIN_MS = 900_000;
const SIZES = { phone: [390, 844], desktop: [1280, 800], wide: [1920, 1080] } as const;

interface Shot {
  readonly name: string;
  readonly path: string;
  /** What is there when the page is ready. */
  readonly sign: string;
  readonly prepare?: (page: Page) => Promise<void>;
  readonly sizes: readonly (keyof typeof SIZES)[];
  readonly schemes: readonly ('light' | 'dark')[];
}

async function main([folder = '.build/pictures', only = '']: readonly string[]): Promise<void> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const work = await mkdtemp(path.join(tmpdir(), 'reelstate-pictures-'));
  await mkdir(folder, { recursive: true });
  await makeVideos(work);
  const service = await startService({ dataDir: path.join(work, 'data'), signal });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const first = shotsBefore();
    for (const shot of first.filter(({ name }) => name.includes(only))) await take(browser, service, shot, folder);
    const jobs = await makeJobs(service, work, signal);
    for (const shot of shotsAfter(jobs).filter(({ name }) => name.includes(only)))
      await take(browser, service, shot, folder);
  } finally {
    await browser.close();
    await service.stop();
    await rm(work, { recursive: true, force: true });
  }
}

interface MadeJobs {
  readonly lecture: JobId;
  readonly portrait: JobId;
  readonly hevc: JobId;
  readonly failed: JobId;
}

/** The videos are made before the first is sent: making one blocks, and the service closes connections that rest. */
async function makeVideos(work: string) {
  const at = (name: string): string => path.join(work, name);
  await writeFile(
    at('broken-recording.mp4'),
    Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isommp41', 'latin1'), Buffer.alloc(500)]),
  );
  makeVideo({
    path: at('drone-flight.mp4'),
    width: 640,
    height: 360,
    frames: 50,
    codec: 'hevc',
    picture: 'mandelbrot=maxiter=100',
    captions: [{ text: 'Altitude 120 m', x: 30, y: 30, size: 32, box: 'black' }],
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
  makeSampleLecture(at('lecture-7-shortest-paths.mp4'));
}

async function makeJobs({ url }: ServiceProcess, work: string, signal: AbortSignal): Promise<MadeJobs> {
  const run = async (name: string, pipelineId = 'ocr_only'): Promise<JobId> => {
    const jobId = await submitVideo({ url, signal, videoPath: path.join(work, name), pipelineId, frameStride: 5 });
    await followJob(jobId, { url, signal }, () => undefined);
    return jobId;
  };
  return {
    failed: await run('broken-recording.mp4'),
    hevc: await run('drone-flight.mp4'),
    portrait: await run('phone-clip.mp4', 'yolo_ocr'),
    lecture: await run('lecture-7-shortest-paths.mp4'),
  };
}

const ALL_SIZES = ['phone', 'desktop', 'wide'] as const;
const BOTH = ['light', 'dark'] as const;

function shotsBefore(): readonly Shot[] {
  return [
    { name: 'first-visit', path: '/', sign: '.first-visit', sizes: ['phone', 'desktop'], schemes: BOTH },
    {
      name: 'add-dialog',
      path: '/',
      sign: '.first-visit',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Try it with a sample' }).click();
        await page.getByText(/of video: about/).waitFor();
        await page.getByText('Only a part', { exact: true }).click();
        await page.locator('.region-picture').scrollIntoViewIfNeeded();
      },
      sizes: ['phone', 'desktop'],
      schemes: BOTH,
    },
    { name: 'api', path: '/docs', sign: 'h1', sizes: ['phone', 'desktop'], schemes: BOTH },
  ];
}

function shotsAfter({ lecture, portrait, hevc, failed }: MadeJobs): readonly Shot[] {
  const seen = { sizes: ALL_SIZES, schemes: BOTH };
  return [
    { name: 'library', path: '/', sign: '.badge', ...seen },
    {
      name: 'selection',
      path: '/',
      sign: '.badge',
      prepare: async (page) => {
        for (const box of await page.locator('.job-select').all()) await box.check();
      },
      sizes: ['phone', 'desktop'],
      schemes: BOTH,
    },
    { name: 'search', path: '/#q=nearest', sign: '.hit', sizes: ['phone', 'desktop'], schemes: BOTH },
    { name: 'video', path: `/#job=${lecture}&t=5.0`, sign: '.mark-box', ...seen },
    { name: 'find', path: `/#job=${lecture}&t=9.0&q=edges`, sign: 'mark', sizes: ['phone', 'desktop'], schemes: BOTH },
    {
      name: 'this-frame',
      path: `/#job=${lecture}&t=5.0`,
      sign: '.mark-box',
      prepare: async (page) => {
        await page.getByRole('tab', { name: 'This frame' }).click();
        await page.locator('.finding').first().click();
      },
      sizes: ['desktop'],
      schemes: BOTH,
    },
    { name: 'portrait', path: `/#job=${portrait}&t=1.0`, sign: '.mark-box', sizes: ALL_SIZES, schemes: ['light'] },
    {
      name: 'contact-sheet',
      path: `/#job=${hevc}`,
      sign: '.contact-sheet',
      sizes: ['phone', 'desktop'],
      schemes: BOTH,
    },
    { name: 'failed', path: `/#job=${failed}`, sign: '.unfinished', sizes: ['phone', 'desktop'], schemes: BOTH },
    { name: 'inspector', path: '/inspector', sign: '.job-row', ...seen },
    {
      name: 'inspector-job',
      path: `/inspector#job=${lecture}`,
      sign: '.step',
      sizes: ['phone', 'desktop'],
      schemes: BOTH,
    },
    {
      name: 'shortcuts',
      path: `/#job=${lecture}`,
      sign: '.mark-box',
      prepare: async (page) => {
        await page.keyboard.press('?');
        await page.locator('.shortcuts').waitFor();
      },
      sizes: ['desktop'],
      schemes: BOTH,
    },
  ];
}

async function take(browser: Browser, { url }: ServiceProcess, shot: Shot, folder: string): Promise<void> {
  for (const size of shot.sizes) {
    for (const colorScheme of shot.schemes) {
      const [width, height] = SIZES[size];
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      const page = await context.newPage();
      await page.goto(url + shot.path);
      await page.locator(shot.sign).first().waitFor({ state: 'attached' });
      await shot.prepare?.(page);
      await page.waitForLoadState('networkidle');
      const file = `${shot.name}-${size}-${colorScheme}.png`;
      await page.screenshot({ path: path.join(folder, file), animations: 'disabled' });
      await context.close();
      console.log(file);
    }
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`pictures failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
