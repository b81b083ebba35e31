/**
 * `node dist/tools/bench/pages.js [dist …]`: what the pages cost, in Chromium. One column per build; default: this one.
 * An older build fills its own database.
 */
import { setMaxListeners } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { z } from 'zod';
import { resultsDocument } from '../../src/analysis/results-document.ts';
import type { FrameResult, JobId, TextLine } from '../../src/job.ts';
import { memoryOf } from '../child-processes.ts';
import { makeVideo } from '../make-video.ts';
import { startService, type ServiceProcess } from '../service-process.ts';
import { cpuSeconds } from './figures.ts';
import type { fillStore } from './filled-store.ts';

const CHROMIUM = '/usr/bin/chromium';
const JOBS = 10_000;
const FRAMES = [20_000, 200_000] as const;
const FRAME_MS = 40;
/** Lines of text on each frame, as on a slide. */
const LINES = 8;
const NETWORK = { offline: false, latency: 100, downloadThroughput: 1_250_000, uploadThroughput: 1_250_000 };
/** After the start, the service looks at its files and makes the index for the search. */
const SETTLED_MS = 60_000;
const IDLE_MS = 20_000;
const WITHIN_MS = 300_000;
const MB = 1_000_000;
/** A job in the list, in this build and in older ones. */
const LISTED = '.job-card, .job-row';
/** A box on the picture. */
const MARKED = '.mark-box';

const fillSchema = z.object({ fillStore: z.custom<typeof fillStore>((value) => typeof value === 'function') });
const processesSchema = z.object({ processInfo: z.array(z.object({ type: z.string(), id: z.number() })) });

type Figures = ReadonlyMap<string, string>;

const { signal } = new AbortController();
setMaxListeners(0, signal);
const here = fileURLToPath(new URL('../..', import.meta.url));
const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'reelstate-bench-'));
try {
  const builds = process.argv.length > 2 ? process.argv.slice(2).map((path) => resolve(path)) : [here];
  const columns: Figures[] = [];
  for (const [index, build] of builds.entries()) columns.push(await measure(build, join(folder, `data-${index}`)));
  for (const what of columns[0]?.keys() ?? [])
    console.log([what.padEnd(54), ...columns.map((figures) => (figures.get(what) ?? '').padStart(12))].join(' '));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(build: string, dataDir: string): Promise<Figures> {
  await mkdir(join(dataDir, 'video_jobs'), { recursive: true });
  const filler = pathToFileURL(join(build, 'tools/bench/filled-store.js'));
  const { fillStore: fill } = fillSchema.parse(await import(filler.href));
  const { newest } = await fill(join(dataDir, 'jobs.duckdb'), { completed: JOBS, pending: 0, sample: FRAMES.length });
  for (const [index, jobId] of newest.entries()) await writeJob(join(dataDir, 'video_jobs'), jobId, FRAMES[index] ?? 0);
  const main = join(build, 'src/main.js');
  const service = await startService({ dataDir, signal, main, settings: { LOG_LEVEL: 'warn' } });
  const figures = new Map<string, string>();
  try {
    await inBrowser((visit) => measureLibrary(service, visit, figures));
    await inBrowser(async ({ page, browser }) => {
      await page.goto('about:blank');
      figures.set('an empty tab: MB', inMb(memoryOf(await rendererOf(browser))?.now));
    });
    for (const [index, jobId] of newest.entries()) {
      const what = `video of ${FRAMES[index]?.toLocaleString('en')} frames`;
      await inBrowser((visit) => measureVideo(`${service.url}/#job=${jobId}`, visit, what, figures));
    }
  } finally {
    await service.kill();
  }
  return figures;
}

interface Visit {
  readonly page: Page;
  readonly browser: Browser;
}

async function inBrowser(work: (visit: Visit) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(WITHIN_MS);
    await work({ page, browser });
  } finally {
    await browser.close();
  }
}

async function measureLibrary(
  { url, pid: servicePid }: ServiceProcess,
  { page, browser }: Visit,
  figures: Map<string, string>,
): Promise<void> {
  const network = await page.context().newCDPSession(page);
  await network.send('Network.emulateNetworkConditions', NETWORK);
  for (const visit of ['first visit', 'second visit']) {
    const startedMs = performance.now();
    await page.goto(url);
    await page.locator(LISTED).first().waitFor();
    const ms = performance.now() - startedMs;
    const [requests, bytes] = await assetsOf(page);
    figures.set(`library, ${visit}: requests for the page`, String(requests));
    figures.set(`library, ${visit}: kB for the page, with headers`, (bytes / 1_000).toFixed(0));
    figures.set(`library, ${visit}: ms until the list is there`, ms.toFixed(0));
  }
  const pid = await rendererOf(browser);
  await page.waitForTimeout(SETTLED_MS);
  const before = [await cpuSeconds(pid), await cpuSeconds(servicePid)] as const;
  await page.waitForTimeout(IDLE_MS);
  const after = [await cpuSeconds(pid), await cpuSeconds(servicePid)] as const;
  const msPerSecond = (index: 0 | 1) => (((after[index] - before[index]) * 1_000) / (IDLE_MS / 1_000)).toFixed(0);
  figures.set('library, 10,000 jobs, idle: CPU ms/s of the tab', msPerSecond(0));
  figures.set('library, 10,000 jobs, idle: CPU ms/s of the service', msPerSecond(1));
}

async function measureVideo(
  address: string,
  { page, browser }: Visit,
  what: string,
  figures: Map<string, string>,
): Promise<void> {
  const crashed = page.waitForEvent('crash', { timeout: 0 }).then(
    () => 'crashed',
    () => 'closed',
  );
  const startedMs = performance.now();
  await page.goto(address);
  const marked = page
    .locator(MARKED)
    .first()
    .waitFor({ state: 'attached' })
    .then(
      () => 'marked',
      () => 'none',
    );
  const end = await Promise.race([marked, crashed]);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  figures.set(`${what}: s until the first box`, end === 'marked' ? seconds : end);
  const memory = end === 'marked' ? memoryOf(await rendererOf(browser)) : undefined;
  figures.set(`${what}: MB of the tab`, inMb(memory?.now));
  figures.set(`${what}: MB of the tab, at most`, inMb(memory?.peak));
}

function inMb(bytes: number | undefined): string {
  return bytes === undefined ? '–' : (bytes / MB).toFixed(0);
}

/** Number and bytes of the responses that make the page itself: neither lists of jobs nor pictures. */
async function assetsOf(page: Page): Promise<readonly [requests: number, bytes: number]> {
  return z.tuple([z.number(), z.number()]).parse(
    await page.evaluate(`(() => {
      const asked = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(({ name, transferSize }) => !name.includes('/video/') && transferSize > 0);
      return [asked.length, asked.reduce((sum, { transferSize }) => sum + transferSize, 0)];
    })()`),
  );
}

/** The process of the only page: the largest, because Chromium keeps an empty one ready. */
async function rendererOf(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = processesSchema.parse(await session.send('SystemInfo.getProcessInfo'));
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => ({ id, bytes: memoryOf(id)?.now ?? 0 }))
    .toSorted((a, b) => b.bytes - a.bytes);
  const [largest] = sizes;
  if (largest === undefined) throw new Error('the browser has no page');
  return largest.id;
}

/** A video with few pictures, and the results of a lecture whose slide changes every 20 seconds. */
async function writeJob(storage: string, jobId: JobId, frames: number): Promise<void> {
  const video = join(folder, `${frames}.mp4`);
  const timesMs = Array.from({ length: 50 }, (_, index) => Math.round((index * frames * FRAME_MS) / 50));
  makeVideo({ path: video, width: 320, height: 180, timesMs });
  await copyFile(video, join(storage, `${jobId}.mp4`));
  await pipeline(
    resultsDocument(resultsOf(frames), Infinity),
    createWriteStream(join(storage, `${jobId}_results.json`)),
  );
}

async function* resultsOf(frames: number): AsyncGenerator<FrameResult> {
  for (let index = 0; index < frames; index += 1) {
    const slide = Math.floor((index * FRAME_MS) / 20_000);
    const lines = Array.from({ length: LINES }, (_, line): TextLine => ({
      text: `Slide ${slide}, line ${line}: the shortest path`,
      confidence: 0.9876,
      bbox: [20, 10 + line * 20, 240, 16],
    }));
    const text = lines.map((line) => line.text).join('\n');
    yield { frame_index: index, result: { timestamp_ms: index * FRAME_MS, text, lines } };
  }
}
