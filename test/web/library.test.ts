import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { jobIdSchema } from '../../src/job.ts';
import { findings, overflows } from '../../tools/page-faults.ts';
import { openPage } from './browser.ts';
import { browserSuite } from './browser-suite.ts';
import { LONG_NAME, resize, RTL_NAME, tabTo, WIDTHS } from './page-checks.ts';
import { openServiceWithPages, RESULTS, type ServiceWithPages } from './service-with-pages.ts';

describe('the library in a browser', function () {
  const suite = browserSuite();
  let service: ServiceWithPages;
  before(async () => {
    service = await openServiceWithPages();
  });
  // A test that failed may have left the analysis held.
  afterEach(() => {
    service.pipelines.release();
    service.pipelines.results = RESULTS;
  });
  after(() => (service as ServiceWithPages | undefined)?.close());
  const open = (path: string, options = {}) => openPage(suite.browser, service.url + path, options);
  const completed = async (fileName = 'completed.mp4'): Promise<string> => {
    const jobId = await service.submit(service.video('completed.mp4'), fileName);
    await service.ended(jobId);
    return jobId;
  };
  const cancelled = async (fileName: string): Promise<string> => {
    service.pipelines.hold();
    const jobId = await service.submit(service.video(), fileName);
    await service.engine.cancel(jobId);
    service.pipelines.release();
    return jobId;
  };
  const add = async (page: Page, paths: readonly string[]): Promise<void> => {
    await page.locator('.page-head').getByRole('button', { name: 'Add videos' }).click();
    await page.getByLabel('Video files').setInputFiles([...paths]);
  };
  const analyse = (page: Page) => page.getByRole('button', { name: /^Analyse/ }).click();

  it('welcomes on the first visit, and offers a sample that can be analysed', async () => {
    const { page, breaches } = await open('/');
    await page.getByText('See what is in a video').waitFor();
    await page.getByRole('button', { name: 'Try it with a sample' }).click();
    await page.getByText('0:24 of video: about 24 pictures').waitFor();
    expect(await page.locator('.file-rows bdi').allTextContents()).to.deep.equal(['sample-lecture.mp4']);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(breaches).to.deep.equal([]);
  });

  it('takes several videos at once, shows them go through their states, and then what is in them', async () => {
    service.pipelines.hold();
    const { page, breaches } = await open('/');
    await add(page, [service.video('first.mp4'), service.video('second.mp4')]);
    await page.locator('.pipeline', { hasText: 'yolo_ocr' }).click();
    await page.getByText('0:04 of video: about 4 pictures').waitFor();
    await analyse(page);
    await page.getByText('All uploaded').waitFor();
    const card = (name: string) => page.locator('.job-card', { hasText: name });
    // Both are uploaded at once, so either can be accepted first.
    for (const state of ['Analysing', 'Waiting']) await page.locator('.pill', { hasText: state }).waitFor();
    service.pipelines.release();
    for (const name of ['first.mp4', 'second.mp4']) {
      await card(name).getByText('person, dog, "small" · Gate B12').waitFor();
    }
    const [newest] = await service.store.newest({}, 1);
    expect([newest?.pipelineId, newest?.options]).to.deep.equal([
      'yolo_ocr',
      { frame_stride: 1, sample_every_ms: 1_000 },
    ]);
    await card('first.mp4').getByRole('link', { name: 'first.mp4' }).click();
    await page.getByRole('heading', { name: 'first.mp4' }).waitFor();
    await page.goBack();
    await card('first.mp4').waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('sends a part of the video and of the picture, and says what is wrong beside the field', async () => {
    const { page, breaches } = await open('/');
    await add(page, [service.video('part.mp4')]);
    await page.getByText('5 times a second').click();
    await page.getByText('Only a part', { exact: true }).click();
    await page.getByLabel('From').fill('soon');
    await page.getByText('Write minutes and seconds, such as 1:30.').waitFor();
    expect(await page.getByLabel('From').getAttribute('aria-invalid')).to.equal('true');
    expect(await page.getByRole('button', { name: 'Analyse' }).isDisabled()).to.equal(true);
    await page.getByLabel('From').fill('0:01');
    await page.getByRole('textbox', { name: 'To' }).fill('1.5');
    const picture = page.locator('.region-picture');
    await picture.scrollIntoViewIfNeeded();
    const { x = 0, y = 0, width = 0, height = 0 } = (await picture.boundingBox()) ?? {};
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width - 1, y + height - 1);
    await page.mouse.up();
    await page.locator('.region-picture path').waitFor();
    await analyse(page);
    await page.getByText('All uploaded').waitFor();
    const [newest] = await service.store.newest({}, 1);
    const { region = [], ...options } = newest?.options ?? {};
    expect(options).to.deep.equal({ frame_stride: 1, sample_every_ms: 200, from_ms: 1_000, to_ms: 1_500 });
    for (const part of region) expect(part).to.be.closeTo(0.5, 0.02);
    expect(breaches).to.deep.equal([]);
  });

  it('tells in the service’s words why a file was refused, and sends the others', async () => {
    const { page, breaches } = await open('/');
    const path = join(service.folder, 'notes.mp4');
    await writeFile(path, 'not a video');
    await add(page, [path, service.video('good.mp4')]);
    await analyse(page);
    await page.locator('[data-upload=refused]', { hasText: 'Invalid MP4 file' }).waitFor();
    await page.locator('[data-upload=accepted]', { hasText: 'good.mp4' }).waitFor();
    await page.getByRole('button', { name: 'Close the list' }).click();
    await page.locator('.upload-tray').waitFor({ state: 'detached' });
    expect(breaches).to.deep.equal([]);
  });

  it('pauses, resumes and cancels an upload, warns before the tab is closed, and leaves nothing behind', async () => {
    await completed();
    const { page, breaches } = await open('/');
    await page.locator('.job-card').first().waitFor();
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
    await add(page, [path]);
    await analyse(page);
    await page.getByText(/ of 2\.\d MB/).waitFor();
    const asked = page.waitForEvent('dialog');
    const closing = page.close({ runBeforeUnload: true });
    const dialog = await asked;
    expect(dialog.type()).to.equal('beforeunload');
    await dialog.dismiss();
    await closing;
    await page.getByRole('button', { name: 'Pause large.mp4' }).click();
    await page.locator('[data-upload=paused]').waitFor();
    await page.getByRole('button', { name: 'Resume large.mp4' }).click();
    await page.locator('[data-upload=sending]').waitFor();
    await page.getByRole('button', { name: 'Cancel large.mp4' }).click();
    await page.locator('[data-upload=cancelled]').waitFor();
    expect(await service.store.countByStatus()).to.deep.equal(before);
    expect(breaches).to.deep.equal([]);
  });

  it('sends a file again by itself, under the same key, after the connection broke', async () => {
    const { page } = await open('/');
    const keys: (string | undefined)[] = [];
    await page.route('**/video/submit?*', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      await (keys.length === 1 ? route.abort() : route.continue());
    });
    await add(page, [service.video('again.mp4')]);
    await analyse(page);
    await page.getByText('All uploaded').waitFor();
    expect(keys).to.have.lengthOf(2);
    expect(keys[0])
      .to.match(/^[\da-f]{32}$/)
      .and.to.equal(keys[1]);
  });

  it('deletes what is selected, after a question', async () => {
    const [one, two] = [await completed('one.mp4'), await completed('two.mp4')];
    const { page, breaches } = await open('/');
    for (const name of ['one.mp4', 'two.mp4']) await page.getByLabel(`Select ${name}`).check();
    const bar = page.getByRole('toolbar');
    await bar.getByText('2 selected').waitFor();
    await bar.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Delete 2 videos?').waitFor();
    await page.getByRole('button', { name: 'Keep' }).click();
    await bar.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    for (const id of [one, two])
      await page.locator(`[data-job="${id}"]`, { hasText: 'The video and its results were deleted.' }).waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('cameras: finds which clips show a person, and when, and deletes the rest', async () => {
    service.pipelines.results = RESULTS.map(({ frame_index, result }) => ({
      frame_index,
      result: {
        ...result,
        detections: frame_index < 20 ? [] : [{ label: 'person', confidence: 0.9, bbox: [9, 9, 20, 40] }],
      },
    }));
    await completed('gate-with-visitor.mp4');
    service.pipelines.results = RESULTS.map(({ frame_index, result }) => ({
      frame_index,
      result: { ...result, detections: [] },
    }));
    const rest = [await completed('gate-night.mp4'), await completed('gate-rain.mp4')];
    const { page, breaches } = await open('/#q=gate-');
    await page.locator('.job-card', { hasText: 'gate-rain.mp4' }).waitFor();
    await page.getByRole('searchbox', { name: 'Search all videos' }).fill('person');
    const hit = page.locator('.hit-video', { hasText: 'gate-with-visitor.mp4' });
    await hit.locator('.hit').waitFor();
    expect(await hit.locator('.hit').textContent()).to.equal('0:00person');
    expect(await page.locator('.hit-video', { hasText: 'gate-rain.mp4' }).count()).to.equal(0);
    await page.getByRole('searchbox', { name: 'Search all videos' }).fill('gate-');
    await page.locator('.job-card', { hasText: 'gate-rain.mp4' }).waitFor();
    await page.getByLabel('Select gate-rain.mp4').check();
    await page.getByRole('button', { name: 'Select all' }).click();
    await page.getByText('3 selected').waitFor();
    await page.getByLabel('Select gate-with-visitor.mp4').uncheck();
    await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    for (const id of rest)
      await page.locator(`[data-job="${id}"]`, { hasText: 'The video and its results were deleted.' }).waitFor();
    await page.locator('.job-card', { hasText: 'gate-with-visitor.mp4' }).getByText('person').waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('says of a failed job what can be done about it', async () => {
    const jobId = await cancelled('stopped.mp4');
    const { page, breaches } = await open('/');
    const card = page.locator(`[data-job="${jobId}"]`);
    await card.getByText('Cancelled. Run it again to get its results.').waitFor();
    await card.getByRole('button', { name: 'Run again' }).waitFor();
    await card.getByRole('link', { name: 'stopped.mp4' }).click();
    await page.getByRole('heading', { name: 'Cancelled' }).waitFor();
    expect(await page.locator('.chart').count()).to.equal(0);
    await page.getByText('Details').click();
    await page.locator('.chart .state.is-active[data-state="failed"]').waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('says of a failed job that its video was deleted, in place of advice that needs it', async () => {
    const jobId = await cancelled('deleted.mp4');
    await service.engine.deleteFiles(jobIdSchema.parse(jobId));
    const { page } = await open('/');
    const card = page.locator(`[data-job="${jobId}"]`);
    await card.getByText('Cancelled. The video and its results were deleted.').waitFor();
    expect(await card.getByRole('button', { name: 'Run again' }).count()).to.equal(0);
  });

  it('runs a failed job again, with the stored video', async () => {
    const jobId = await cancelled('once-more.mp4');
    const { page, breaches } = await open('/');
    await page.locator(`[data-job="${jobId}"]`).getByRole('button', { name: 'Run again' }).click();
    await page.locator('.job-card', { hasText: 'once-more.mp4' }).filter({ hasText: 'Gate B12' }).waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('filters by state and by name, and says when nothing is there', async () => {
    await completed('needle.mp4');
    await completed('other.mp4');
    await cancelled('failed.mp4');
    const { page } = await open('/');
    await page.locator('.chip', { hasText: 'Failed' }).click();
    await page.locator('.job-card[data-state=completed]').first().waitFor({ state: 'detached' });
    await page.locator('.chip', { hasText: 'All' }).click();
    await page.keyboard.press('/');
    await page.keyboard.type('needle');
    await page.locator('.job-card', { hasText: 'other.mp4' }).waitFor({ state: 'detached' });
    await page.locator('.job-card', { hasText: 'needle.mp4' }).waitFor();
    expect(new URL(page.url()).hash).to.equal('#q=needle');
    await page.getByLabel('Search all videos').fill('zzz');
    await page.getByText('No name contains this.').waitFor();
  });

  it('shows with a search hit the scene in which it begins', async () => {
    const jobId = await completed();
    let found = '';
    while (!found.includes(jobId)) found = await (await fetch(`${service.url}/video/search?q=gate`)).text();
    const { page } = await open('/');
    // The pictures of this service are made up.
    const picture = { contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg" />' };
    await page.route('**/video/thumbnails/**', (route) => route.fulfill(picture));
    await page.getByRole('searchbox', { name: 'Search all videos' }).fill('gate b12');
    await page.locator(`.hit-name img[src="video/thumbnails/${jobId}/30"]`).waitFor({ state: 'attached' });
  });

  it('says when the service stops answering and when it answers again', async () => {
    const { page } = await open('/');
    await page.locator('.job-card').first().waitFor();
    await page.context().setOffline(true);
    await page.locator('.link-state').getByText('The service does not respond').waitFor();
    await page.context().setOffline(false);
    await page.locator('.link-state').waitFor({ state: 'hidden' });
  });

  it('can be used with the keyboard alone', async () => {
    const jobId = await completed('keyboard.mp4');
    const { page } = await open('/');
    await page.locator(`[data-job="${jobId}"]`).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await tabTo(page, `[data-job="${jobId}"] .job-link`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'keyboard.mp4' }).waitFor();
  });

  it('has no finding of axe and nothing that is wider than its place, at any width, in light and in dark', async () => {
    await completed(LONG_NAME);
    await completed(RTL_NAME);
    const { page } = await open('/');
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of WIDTHS) {
        await resize(page, width, colorScheme);
        await page.locator('.job-card', { hasText: 'person' }).first().waitFor();
        expect(await overflows(page), `${width}`).to.deep.equal([]);
        if (width === 390 || width === 1280) expect(await findings(page), `${colorScheme} ${width}`).to.deep.equal([]);
      }
    }
    await resize(page, 1280, 'light');
    await add(page, [service.video()]);
    await page.getByText('Only a part', { exact: true }).click();
    expect(await findings(page), 'the dialog').to.deep.equal([]);
  });

  it('weighs less than 90 kB beside the pictures, and loads none of its parts twice', async () => {
    const page = await suite.browser.newPage();
    await page.goto(service.url);
    await page.locator('.job-card').first().waitFor();
    const bytes = await page.evaluate(`performance.getEntriesByType('navigation')
      .concat(performance.getEntriesByType('resource'))
      .filter(({ name }) => !name.includes('/video/'))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`);
    expect(bytes).to.be.within(20_000, 90_000);
    await page.reload();
    await page.locator('.job-card').first().waitFor();
    const fromNetwork = await page.evaluate(
      `performance.getEntriesByType('resource').filter(({ name, transferSize }) => name.includes('/assets/') && transferSize > 0).length`,
    );
    expect(fromNetwork).to.equal(0);
  });
});
