import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, openPage, seriousFindings } from './browser.ts';
import { HEIGHT, openServiceWithPages, RESULTS, WIDTH, type ServiceWithPages } from './service-with-pages.ts';
import { jobIn } from '../job-in.ts';

describe('the console in a browser', function () {
  let browser: Browser | undefined;
  let service: ServiceWithPages;
  before(async function () {
    browser = await openBrowser();
    if (browser === undefined) this.skip();
    service = await openServiceWithPages();
  });
  // Open pages would continue to poll and draw.
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });
  after(async () => {
    await browser?.close();
    await (service as ServiceWithPages | undefined)?.close();
  });
  const open = (path: string, options = {}) => {
    if (browser === undefined) throw new Error('no browser');
    return openPage(browser, service.url + path, options);
  };
  const completed = async (recipe = {}): Promise<string> => {
    const jobId = await service.submit(service.video('completed.mp4', recipe));
    await service.ended(jobId);
    return jobId;
  };

  it('uploads a video, shows the states of its job, and then its results', async () => {
    service.pipelines.hold();
    const { page, breaches } = await open('/');
    await page.getByLabel('Video file').setInputFiles(service.video());
    await page.locator('.pipeline', { hasText: 'yolo_ocr' }).click();
    await page.getByLabel('Frame stride').fill('2');
    await page.getByRole('button', { name: 'Upload and analyse' }).click();
    const state = page.locator('.in-view .pill');
    await state.filter({ hasText: 'running' }).waitFor();
    await page.locator('.job-row[data-state=running]', { hasText: 'video.mp4' }).waitFor();
    await page.locator('.in-view .state.is-active[data-state="running"]').waitFor();
    service.pipelines.release();
    await state.filter({ hasText: 'completed' }).waitFor();
    await page.getByText('25 frames were analysed.').waitFor();
    await page.locator('.mark.detection').first().waitFor();
    const [newest] = await service.store.newest({}, 1);
    expect([newest?.pipelineId, newest?.options]).to.deep.equal(['yolo_ocr', { frame_stride: 2 }]);
    expect(breaches).to.deep.equal([]);
  });

  it('shows the parameters of a pipeline and their meaning', async () => {
    if (browser === undefined) throw new Error('no browser');
    const { page, breaches } = await openPage(browser, `${service.url}/docs`);
    const params_schema = { properties: { regions: { description: 'Where text is looked for' } } };
    const nodes = [{ id: 'text', tool: 'ocr.read', params: { min_confidence: 0.6, regions: 'frame' }, params_schema }];
    const pipelines = [
      { id: 'plain', description: 'Tells nothing of itself' },
      { id: 'reads', description: 'Reads', nodes },
    ];
    await page.route('**/pipelines', (route) => route.fulfill({ json: { pipelines } }));
    await page.goto(service.url);
    await page.locator('.pipeline', { hasText: 'plain' }).waitFor();
    expect(await page.locator('.parameters').count()).to.equal(0);
    await page.locator('.pipeline', { hasText: 'reads' }).click();
    await page.getByText('Parameters of reads').click();
    expect(await page.locator('.parameters dd').allTextContents()).to.deep.equal([
      'min_confidence 0.6',
      'regions frameWhere text is looked for',
    ]);
    expect(breaches).to.deep.equal([]);
  });

  it('draws boxes at the positions of the results at every frame', async () => {
    const { page, breaches } = await open(`/#job=${await completed()}`);
    await videoLoaded(page);
    for (const index of [0, 7, 24]) {
      await seek(page, index * 80);
      const expected = RESULTS[index]?.result;
      const [first] = expected?.detections ?? [];
      await page.locator(`.mark.detection .mark-box[x="${first?.bbox[0]}"]`).waitFor();
      const boxes = await page
        .locator('.mark .mark-box')
        .evaluateAll((rects) =>
          rects.map((rect) => ['x', 'y', 'width', 'height'].map((name) => Number(rect.getAttribute(name)))),
        );
      expect(boxes).to.deep.equal(
        [...(expected?.detections ?? []), ...(expected?.lines ?? [])].map(({ bbox }) => bbox),
      );
    }
    // On the screen: the frame's pixels scaled like the video.
    const video = await page.locator('video').boundingBox();
    const box = await page.locator('.mark.detection .mark-box').first().boundingBox();
    const scale = (video?.width ?? 0) / WIDTH;
    expect(video?.height).to.be.closeTo(HEIGHT * scale, 1);
    const [x = 0, y = 0] = RESULTS[24]?.result.detections?.[0]?.bbox ?? [];
    expect((box?.x ?? 0) - (video?.x ?? 0)).to.be.closeTo(x * scale, 2);
    expect((box?.y ?? 0) - (video?.y ?? 0)).to.be.closeTo(y * scale, 2);
    expect(breaches).to.deep.equal([]);
  });

  it('jumps to the frame with a searched text, hides labels, and downloads JSON and CSV', async () => {
    const { page, breaches } = await open(`/#job=${await completed()}`);
    await videoLoaded(page);
    await page.getByLabel('Search in the text').fill('gate b');
    await page.getByText('1 place', { exact: true }).waitFor();
    await page.locator('.hit').click();
    await page.getByText('frame 30', { exact: true }).waitFor();
    expect(await page.locator('.mark.line.is-hit .mark-box').count()).to.equal(1);
    expect(await page.locator('.lane-hits path').getAttribute('d')).to.match(/^M/);
    const seen = page.locator('.mark.detection .mark-box');
    expect(await seen.count()).to.equal(2);
    await page.getByRole('button', { name: /^person/ }).click();
    await seen.nth(1).waitFor({ state: 'detached' });
    expect(await page.locator('.mark.detection text').textContent()).to.equal('dog, "small" 60 %');

    const csvSaved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    const rows = (await readFile(await (await csvSaved).path(), 'utf8')).trimEnd().split('\r\n');
    expect(rows[0]).to.equal('\uFEFFframe_index,timestamp_ms,kind,value,confidence,x,y,width,height');
    expect(rows).to.have.lengthOf(1 + 25 + 15 + 10);
    expect(rows).to.include('20,800,detection,"dog, ""small""",0.6,200,100,80,60');
    expect(rows).to.include('30,1200,text,Gate B12,0.97,100,10,90,20');
    const jsonSaved = page.waitForEvent('download');
    await page.getByRole('link', { name: 'JSON' }).click();
    expect(JSON.parse(await readFile(await (await jsonSaved).path(), 'utf8')).results).to.deep.equal(RESULTS);
    expect(breaches).to.deep.equal([]);
  });

  it('shows boxes and text over a blank frame, with a notice, if the browser cannot play the codec', async () => {
    const { page, breaches } = await open(`/#job=${await completed({ codec: 'mpeg4' })}`);
    await page.getByText('This browser cannot play the video').waitFor();
    await page.locator('.mark.detection').first().waitFor();
    await page.getByLabel('Next analysed frame').click();
    await page.getByText('frame 2', { exact: true }).waitFor();
    await page.getByLabel('Play', { exact: true }).click();
    // To the end of the clock that replaces the video.
    await page.getByText('not analysed here').waitFor();
    await page.getByLabel('Play', { exact: true }).waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('shows the service’s message for a rejected upload, and accepts the next one', async () => {
    const { page, breaches } = await open('/');
    const path = join(service.folder, 'notes.mp4');
    await writeFile(path, 'not a video');
    await page.getByLabel('Video file').setInputFiles(path);
    await page.getByRole('button', { name: 'Upload and analyse' }).click();
    const alert = page.getByRole('alert');
    await alert.filter({ hasText: 'notes.mp4 was refused. Invalid MP4 file' }).waitFor();
    await page.getByLabel('Max frames').fill('0');
    await page.getByLabel('Video file').setInputFiles(service.video());
    await page.getByRole('button', { name: 'Upload and analyse' }).click();
    await alert.filter({ hasText: 'max_frames must be at least 1' }).waitFor();
    await page.getByLabel('Max frames').fill('');
    await page.getByRole('button', { name: 'Upload and analyse' }).click();
    await page.locator('.in-view .pill').waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('shows the progress of an upload, and cancels it without leaving anything', async () => {
    const { page, breaches } = await open('/');
    const before = await service.store.countByStatus();
    const slow = await page.context().newCDPSession(page);
    await slow.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: 100_000,
    });
    const path = join(service.folder, 'large.mp4');
    await writeFile(path, Buffer.concat([await readFile(service.video()), Buffer.alloc(2_000_000)]));
    await page.getByLabel('Video file').setInputFiles(path);
    await page.getByRole('button', { name: 'Upload and analyse' }).click();
    await page.getByText(/ of 2\.\d MB · .*\/s/).waitFor();
    await page.getByRole('button', { name: 'Cancel upload' }).click();
    await page.getByText('The upload was cancelled').waitFor();
    expect(await service.store.countByStatus()).to.deep.equal(before);
    expect(breaches).to.deep.equal([]);
  });

  it('cancels a running job, and shows why it has no results', async () => {
    service.pipelines.hold();
    const jobId = await service.submit(service.video());
    const { page, breaches } = await open(`/#job=${jobId}`);
    await page.locator('.in-view .pill').filter({ hasText: 'running' }).waitFor();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByRole('alert').filter({ hasText: 'cancelled while it was running' }).waitFor();
    await page.locator('.in-view .state.is-active[data-state="failed"]').waitFor();
    expect((await jobIn(service.store, jobId)).errorCode).to.equal('cancelled');
    service.pipelines.release();
    expect(breaches).to.deep.equal([]);
  });

  it('shows at once when the service stops responding, and when it responds again', async () => {
    const { page } = await open('/');
    await page.getByText('connected', { exact: true }).waitFor();
    await page.context().setOffline(true);
    await page.locator('.page-head').getByText('The service does not answer').waitFor();
    await page.context().setOffline(false);
    await page.getByText('connected', { exact: true }).waitFor();
  });

  it('can be used with the keyboard alone', async () => {
    const jobId = await completed();
    const { page } = await open('/');
    await page.locator(`[data-job="${jobId}"]`).waitFor();
    await tabTo(page, `[data-job="${jobId}"]`);
    await page.keyboard.press('Enter');
    await page.getByText('25 frames were analysed.').waitFor();
    await videoLoaded(page);
    await tabTo(page, '.strip');
    await page.keyboard.press('ArrowRight');
    await page.getByText('frame 2', { exact: true }).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.getByText('frame 0', { exact: true }).waitFor();
    await tabTo(page, '.search input');
    await page.keyboard.type('b12');
    await page.locator('.hit').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('frame 30', { exact: true }).waitFor();
  });

  it('has no serious finding of axe, in light and in dark, and fits 360 pixels', async () => {
    const jobId = await completed();
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [path, sign] of [
        ['/', '.job-row'],
        [`/#job=${jobId}`, '.mark.detection'],
        ['/docs', 'pre'],
      ] as const) {
        const { page } = await open(path, { colorScheme, viewport: { width: 360, height: 740 } });
        await page.locator(sign).first().waitFor();
        expect(await seriousFindings(page), `${colorScheme} ${path}`).to.deep.equal([]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).to.be.at.most(360);
        await page.context().close();
      }
    }
  });

  it('weighs less than 400 KB without the video', async () => {
    for (const path of [`/#job=${await completed()}`, '/inspector']) {
      const page = await browser?.newPage();
      if (page === undefined) throw new Error('no browser');
      const bodies: Promise<Buffer>[] = [];
      page.on('response', (response) => {
        const isPart = response.ok() && !response.url().includes('/video/');
        if (isPart) bodies.push(response.body());
      });
      await page.goto(service.url + path);
      await page.locator('.job-row').first().waitFor();
      await page.waitForLoadState('networkidle');
      const bytes = (await Promise.all(bodies)).reduce((sum, { length }) => sum + length, 0);
      expect(bytes).to.be.within(30_000, 400_000);
    }
  });
});

async function videoLoaded(page: Page): Promise<void> {
  await page.locator('video').waitFor();
  await page.evaluate(`new Promise((resolve) => {
    const video = document.querySelector('video');
    if (video.readyState >= 2) resolve();
    else video.addEventListener('loadeddata', () => resolve(), { once: true });
  })`);
}

async function seek(page: Page, ms: number): Promise<void> {
  await page.evaluate(`document.querySelector('video').currentTime = ${(ms + 1) / 1_000}`);
}

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selector} is not reached with Tab`);
}
