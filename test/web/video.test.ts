import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { findings, overflows } from '../../tools/page-faults.ts';
import { openPage } from './browser.ts';
import { browserSuite } from './browser-suite.ts';
import { LONG_NAME, resize, tabTo, WIDTHS } from './page-checks.ts';
import { HEIGHT, openServiceWithPages, RESULTS, WIDTH, type ServiceWithPages } from './service-with-pages.ts';

describe('a video in a browser', function () {
  const suite = browserSuite();
  let service: ServiceWithPages;
  let jobId: string;
  const completed = async (recipe = {}, fileName = 'completed.mp4'): Promise<string> => {
    const id = await service.submit(service.video('completed.mp4', recipe), fileName);
    await service.ended(id);
    return id;
  };
  before(async () => {
    service = await openServiceWithPages();
    jobId = await completed();
  });
  // A test that failed may have left the analysis held.
  afterEach(() => service.pipelines.release());
  after(() => (service as ServiceWithPages | undefined)?.close());
  const open = (path: string, options = {}) => openPage(suite.browser, service.url + path, options);
  const frameTab = async (page: Page): Promise<void> => page.getByRole('tab', { name: 'This frame' }).click();

  it('shows a job go through its states, and then what is in it', async () => {
    service.pipelines.hold();
    const id = await service.submit(service.video(), 'under-way.mp4');
    const { page, breaches } = await open(`/#job=${id}`);
    await page.getByRole('heading', { name: 'Analysing' }).waitFor();
    expect(await page.title()).to.equal('under-way.mp4 · Reelstate');
    service.pipelines.release();
    await page.locator('.scene', { hasText: 'Gate B12' }).waitFor();
    await page.getByRole('link', { name: 'Download subtitles' }).waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('cancels a running job, and shows why it has no results', async () => {
    service.pipelines.hold();
    const id = await service.submit(service.video());
    const { page, breaches } = await open(`/#job=${id}`);
    await page.getByRole('button', { name: 'Cancel the analysis' }).click();
    await page.getByRole('heading', { name: 'Cancelled' }).waitFor();
    service.pipelines.release();
    expect(breaches).to.deep.equal([]);
  });

  it('draws boxes where the results say, in pixels of the source frame, at every frame', async () => {
    const { page, breaches } = await open(`/#job=${jobId}`);
    await videoLoaded(page);
    for (const index of [0, 7, 24]) {
      await seek(page, index * 80);
      const expected = RESULTS[index]?.result;
      const [first] = expected?.detections ?? [];
      await page.locator(`.mark-box.object[x="${first?.bbox[0]}"]`).waitFor();
      const boxes = await page
        .locator('.mark-box')
        .evaluateAll((rects) =>
          rects.map((rect) => ['x', 'y', 'width', 'height'].map((name) => Number(rect.getAttribute(name)))),
        );
      expect(boxes).to.deep.equal(
        [...(expected?.detections ?? []), ...(expected?.lines ?? [])].map(({ bbox }) => bbox),
      );
    }
    // On the screen: the frame's pixels scaled as the video's are, and no letterbox.
    const video = await page.locator('.stage').boundingBox();
    const box = await page.locator('.mark-box.object').first().boundingBox();
    const scale = (video?.width ?? 0) / WIDTH;
    expect(video?.height).to.be.closeTo(HEIGHT * scale, 1);
    const [x = 0, y = 0] = RESULTS[24]?.result.detections?.[0]?.bbox ?? [];
    expect((box?.x ?? 0) - (video?.x ?? 0)).to.be.closeTo(x * scale, 2);
    expect((box?.y ?? 0) - (video?.y ?? 0)).to.be.closeTo(y * scale, 2);
    expect(breaches).to.deep.equal([]);
  });

  it('writes the name of what is pointed at or chosen, and of nothing else', async () => {
    const { page, breaches } = await open(`/#job=${jobId}&t=1.6`);
    await videoLoaded(page);
    await page.locator('.mark-box.object').first().waitFor();
    expect(await page.locator('.caption').count()).to.equal(0);
    await page.locator('.mark-box.object').first().click();
    expect(await page.locator('.caption').textContent()).to.equal('person 90 %');
    expect(await page.locator('.finding[aria-pressed=true]').textContent()).to.equal('person90 %');
    await page.locator('.finding', { hasText: 'Gate B12' }).focus();
    await page.locator('.caption', { hasText: 'Gate B12' }).waitFor();
    await page.getByLabel('What is shown').click();
    await page.getByLabel('Lowest confidence').fill('80');
    await page.locator('.finding', { hasText: 'dog' }).waitFor({ state: 'detached' });
    expect(await page.locator('.mark-box.object').count()).to.equal(1);
    expect(breaches).to.deep.equal([]);
  });

  it('finds words in any order, goes from hit to hit, and keeps both in the address', async () => {
    const { page, breaches } = await open(`/#job=${jobId}`);
    await videoLoaded(page);
    await page.getByLabel('Find in this video').fill('b12 gáte');
    await page.locator('.find-count', { hasText: '1/1' }).waitFor();
    expect(await page.locator('.scene mark').allTextContents()).to.deep.equal(['Gate', 'B12']);
    await page.keyboard.press('Enter');
    await page.locator('.timecode', { hasText: '0:01.200' }).waitFor();
    await page.locator('.scene[aria-current]', { hasText: 'Gate B12' }).waitFor();
    await page.waitForURL((url) => url.hash.includes('t=1.2') && url.hash.includes('q=b12'));
    await page.reload();
    await page.locator('.timecode', { hasText: '0:01.20' }).waitFor();
    expect(await page.getByLabel('Find in this video').inputValue()).to.equal('b12 gáte');
    await page.getByLabel('Find in this video').fill('nowhere');
    await page.locator('.find-count', { hasText: 'none' }).waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('shows a lane for each kind of object, leads to the next time, and hides its boxes', async () => {
    const { page, breaches } = await open(`/#job=${jobId}`);
    await videoLoaded(page);
    await page.getByRole('tab', { name: 'Objects' }).click();
    expect(await page.locator('.lane-name').allTextContents()).to.deep.equal(['person', 'dog, "small"']);
    await page.locator('.lane-name', { hasText: 'dog' }).click();
    await page.locator('.timecode', { hasText: '0:00.80' }).waitFor();
    await page.locator('.mark-box.object').nth(1).waitFor();
    await page.getByLabel('Show boxes of person').uncheck();
    await page.locator('.mark-box.object').nth(1).waitFor({ state: 'detached' });
    expect(breaches).to.deep.equal([]);
  });

  it('gives subtitles, text, tables and every frame away', async () => {
    const { page, breaches } = await open(`/#job=${jobId}`);
    const saved = async (click: () => Promise<void>): Promise<string> => {
      const download = page.waitForEvent('download');
      await click();
      return readFile(await (await download).path(), 'utf8');
    };
    const srt = await saved(() => page.getByRole('link', { name: 'Download subtitles' }).click());
    expect(srt).to.equal('1\n00:00:01,200 --> 00:00:02,000\nGate B12\n\n');
    const exported = async (name: string): Promise<string> => {
      await page.getByText('Export', { exact: true }).click();
      return saved(() => page.locator('.export-menu').getByRole('link', { name }).click());
    };
    expect(await exported('VTT')).to.match(/^WEBVTT\n\n00:00:01\.200 --> /);
    expect(await exported('TXT')).to.contain('0:01.2–0:02.0  Gate B12');
    expect(await exported('Table of objects')).to.match(/^\uFEFFkind,start_ms/);
    expect(JSON.parse(await exported('JSON')).results).to.deep.equal(RESULTS);
    expect(breaches).to.deep.equal([]);
  });

  it('shows pictures of its scenes, and says so, where the browser cannot play the codec', async () => {
    const { page, breaches } = await open(`/#job=${await completed({ codec: 'mpeg4' })}`);
    await page.getByText('This browser cannot play the video').waitFor();
    await page.locator('.mark-box.object').first().waitFor();
    await frameTab(page);
    await page.getByLabel('Next analysed frame').click();
    await page.getByText('Frame 2', { exact: true }).waitFor();
    await page.locator('.sheet-scene').first().click();
    await page.getByText('Frame 30', { exact: true }).waitFor();
    await page.getByLabel('Play', { exact: true }).click();
    // To the end of the clock that stands in for the video, where it stops.
    await page.getByText('This part was not analysed.').waitFor();
    await page.getByLabel('Play', { exact: true }).waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('obeys the keys of the usual players, and lists them', async () => {
    const { page, breaches } = await open(`/#job=${jobId}`);
    await videoLoaded(page);
    await frameTab(page);
    const at = (frame: number) => page.getByText(`Frame ${frame}`, { exact: true }).waitFor();
    await at(0);
    await page.keyboard.press('.');
    await at(2);
    await page.keyboard.press(',');
    await at(0);
    await page.keyboard.press('n');
    await at(30);
    await page.locator('body').focus();
    await page.keyboard.press('j');
    await at(0);
    await page.keyboard.press('b');
    await page.locator('.mark-box').first().waitFor({ state: 'detached' });
    await page.keyboard.press('b');
    await page.locator('.mark-box').first().waitFor();
    await page.keyboard.press('>');
    expect(await page.getByLabel('Speed').inputValue()).to.equal('1.5');
    await page.keyboard.press('m');
    expect(await page.getByLabel('Sound').getAttribute('aria-pressed')).to.equal('true');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    expect(await findings(page)).to.deep.equal([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(breaches).to.deep.equal([]);
  });

  it('can be used with the keyboard alone', async () => {
    const { page } = await open(`/#job=${jobId}`);
    await videoLoaded(page);
    await frameTab(page);
    await tabTo(page, '.playhead');
    await page.keyboard.press('ArrowRight');
    await page.getByText('Frame 2', { exact: true }).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.getByText('Frame 0', { exact: true }).waitFor();
    await tabTo(page, '.find input');
    await page.keyboard.type('b12');
    await page.locator('.find-count', { hasText: '1/1' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Frame 30', { exact: true }).waitFor();
    await tabTo(page, '#tab-frame');
    await page.keyboard.press('ArrowRight');
    await page.locator('.scene').first().waitFor();
  });

  it('says so when there is no such job, and asks for nothing that is not an id', async () => {
    const { page } = await open('/#job=01900000-0000-7000-8000-000000000000');
    await page.getByText('There is no job 01900000-0000-7000-8000-000000000000').waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).search));
    await page.goto(`${service.url}/#job=..%2Fjobs%3Fx%3D1%23`);
    await page.locator('.job-card').first().waitFor();
    expect(asked.filter((search) => search.includes('x=1'))).to.deep.equal([]);
  });

  it('asks no more for a job that has ended', async () => {
    const { page } = await openPage(suite.browser, 'about:blank');
    await page.clock.install();
    await page.goto(`${service.url}/#job=${jobId}`);
    await page.locator('.scene').first().waitFor();
    await page.waitForLoadState('networkidle');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.clock.runFor(10_000);
    expect(asked.filter((path) => path.startsWith('/video/'))).to.deep.equal([]);
  });

  it('shows the picture of a linked moment at once on a phone, above what was found', async () => {
    const { page } = await open(`/#job=${jobId}&t=1.2`, { viewport: { width: 390, height: 844 } });
    await videoLoaded(page);
    await page.locator('.mark-box.object').first().waitFor();
    const { y = 0, height = 0 } = (await page.locator('.stage').boundingBox()) ?? {};
    expect(y + height).to.be.below(600);
    expect(await page.evaluate('scrollY')).to.equal(0);
    await page.getByText('Export', { exact: true }).click();
    expect(await overflows(page)).to.deep.equal([]);
  });

  it('fits a zoom of 200 % and a printed page, without a finding of axe', async () => {
    // A window of 1280 pixels at 200 %, and the width of A4 at 96 dpi.
    for (const viewport of [
      { width: 640, height: 400 },
      { width: 794, height: 1123 },
    ]) {
      for (const path of ['/', `/#job=${jobId}&t=1.6`, '/inspector', '/docs']) {
        const { page } = await open(path, { viewport });
        await page.locator('.job-card, .scene, .figures, .docs section').first().waitFor();
        if (viewport.width === 794) await page.emulateMedia({ media: 'print' });
        expect(await overflows(page), `${viewport.width} ${path}`).to.deep.equal([]);
        expect(await findings(page), `${viewport.width} ${path}`).to.deep.equal([]);
        await page.context().close();
      }
    }
  });

  it('has no finding of axe and nothing wider than its place, at any width, in light and in dark', async () => {
    const long = await completed({}, LONG_NAME);
    const { page } = await open(`/#job=${long}&t=1.6&q=gate`);
    const docs = await open('/docs');
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of WIDTHS) {
        await resize(page, width, colorScheme);
        await page.locator('.mark-box.object').first().waitFor();
        expect(await overflows(page), `${width}`).to.deep.equal([]);
        for (const tab of width === 1280 ? ['Transcript', 'Objects', 'This frame'] : ['Transcript']) {
          await page.getByRole('tab', { name: tab }).click();
          expect(await findings(page), `${colorScheme} ${width} ${tab}`).to.deep.equal([]);
        }
      }
      await resize(docs.page, 390, colorScheme);
      expect(await overflows(docs.page), 'docs').to.deep.equal([]);
      expect(await findings(docs.page), `${colorScheme} docs`).to.deep.equal([]);
    }
  });
});

/** Asks again and again, because an event of an element that failed or was replaced never comes. */
async function videoLoaded(page: Page): Promise<void> {
  const endMs = performance.now() + 300_000;
  while ((await page.evaluate(`document.querySelector('video')?.readyState >= 2`)) !== true) {
    if (performance.now() > endMs) throw new Error(`no video: ${await page.locator('main').innerText()}`);
    await page.waitForTimeout(20);
  }
}

async function seek(page: Page, ms: number): Promise<void> {
  await page.evaluate(`document.querySelector('video').currentTime = ${(ms + 1) / 1_000}`);
}
