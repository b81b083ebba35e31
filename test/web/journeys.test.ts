import { expect } from 'chai';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { followJob, submitVideo } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';
import { openPage } from './browser.ts';
import { browserSuite } from './browser-suite.ts';

/** The whole service in its own process, with its models. */
describe('the pages and a service of their own', function () {
  const suite = browserSuite();
  const { signal } = new AbortController();
  let folder: string;
  let service: ServiceProcess;
  const start = (settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> =>
    startService({ dataDir: join(folder, 'data'), signal, settings: { LOG_LEVEL: 'warn', ...settings } });
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-journeys-'));
    service = await start();
  });
  after(async () => {
    await (service as ServiceProcess | undefined)?.kill();
    await rm(folder, { recursive: true, force: true });
  });
  const slides = (name: string, first: string, second: string): string => {
    const path = join(folder, name);
    makeVideo({
      path,
      width: 320,
      height: 180,
      frames: 20,
      fps: 10,
      picture: 'color=color=gray',
      captions: [
        { text: first, to: 9, size: 30, box: 'black' },
        { text: second, from: 10, size: 30, box: 'black' },
      ],
    });
    return path;
  };
  const upload = async (page: Page, paths: readonly string[]): Promise<void> => {
    await page.locator('.page-head').getByRole('button', { name: 'Add videos' }).click();
    await page.getByLabel('Video files').setInputFiles([...paths]);
    await page.getByRole('button', { name: /^Analyse/ }).click();
  };

  it('lecture: three files are uploaded, a word is found in all, and its subtitles are saved', async () => {
    const broken = join(folder, 'week-3.mp4');
    const header = Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isommp41', 'latin1');
    await writeFile(broken, Buffer.concat([header, Buffer.alloc(500)]));
    const { page, breaches } = await openPage(suite.browser, service.url);
    await upload(page, [slides('week-1.mp4', 'GRAPHS', 'TREES'), slides('week-2.mp4', 'SORTING', 'GRAPHS'), broken]);
    await page.getByText('All uploaded').waitFor();
    const card = (name: string) => page.locator('.job-card', { hasText: name });
    for (const name of ['week-1.mp4', 'week-2.mp4']) await card(name).getByText('2 scenes').waitFor();

    // The broken one says why, what helps, and that the same happens again.
    const failed = card('week-3.mp4');
    await failed.getByText('Check that it plays elsewhere.').waitFor();
    await failed.getByLabel('Actions for week-3.mp4').click();
    await failed.getByRole('button', { name: 'Run again' }).click();
    await failed.nth(1).getByText('Not a readable video').waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('graphs');
    await page.getByText('Found in 2 videos.').waitFor();
    await page.locator('.hit-video', { hasText: 'week-2.mp4' }).locator('.hit').click();
    await page.locator('.timecode', { hasText: '0:01.000' }).waitFor();
    await page.getByText('Export', { exact: true }).click();
    const download = page.waitForEvent('download');
    await page.locator('.export-menu').getByRole('link', { name: 'VTT' }).click();
    const saved = await download;
    expect(saved.suggestedFilename()).to.equal('week-2.vtt');
    expect(await readFile(await saved.path(), 'utf8')).to.match(
      /^WEBVTT\n\n00:00:00\.000 --> .*\nSORTING\n\n.*\nGRAPHS/,
    );
    expect(breaches).to.deep.equal([]);
  });

  it('a service that is killed during an upload: the tray sends it again, as one job', async () => {
    const { url } = service;
    const path = join(folder, 'large.mp4');
    await writeFile(
      path,
      Buffer.concat([await readFile(slides('small.mp4', 'GRAPHS', 'TREES')), Buffer.alloc(3_000_000)]),
    );
    const { page } = await openPage(suite.browser, url);
    const keys: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/video/submit')) keys.push(request.headers()['idempotency-key']);
    });
    const network = await page.context().newCDPSession(page);
    const limit = (uploadThroughput: number) =>
      network.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput,
      });
    await limit(100_000);
    await upload(page, [path]);
    await page.getByText(/ of 3\.\d MB/).waitFor();
    await service.kill();
    await page.locator('[data-upload=broken]').waitFor();
    await limit(-1);
    service = await start({ PORT: new URL(url).port });
    await page.getByText('All uploaded').waitFor();
    await page.locator('.job-card', { hasText: 'large.mp4' }).getByText('2 scenes').waitFor();
    expect(await page.locator('.job-card', { hasText: 'large.mp4' }).count()).to.equal(1);
    expect(keys.length).to.be.at.least(2);
    expect(new Set(keys)).to.have.lengthOf(1);
  });

  it('inspector: the history and the figures of the last hour outlive the service', async () => {
    const path = slides('history.mp4', 'GRAPHS', 'TREES');
    const jobId = await submitVideo({
      url: service.url,
      signal,
      videoPath: path,
      pipelineId: 'ocr_only',
      frameStride: 10,
    });
    await followJob(jobId, { url: service.url, signal }, () => {});
    const read = async () => {
      const { page, breaches } = await openPage(suite.browser, `${service.url}/inspector`);
      await page.locator('.recent-step').first().waitFor();
      const figures = await page.locator('.figures dd').allTextContents();
      const steps = await page
        .locator('.recent-step')
        .evaluateAll((rows) => rows.map((row) => row.querySelector('.recent-way')?.textContent));
      await page
        .locator('.recent-step', { hasText: `…${jobId.slice(-8)}` })
        .first()
        .click();
      await page.getByText('3 / 3').waitFor();
      const life = await page.locator('.step').allTextContents();
      expect(breaches).to.deep.equal([]);
      return { figures, steps, life };
    };
    const before = await read();
    await service.kill();
    service = await start();
    expect(await read()).to.deep.equal(before);
    expect(before.life).to.have.lengthOf(3);
  });
});
