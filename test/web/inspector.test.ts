import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { createMachine } from 'xstate';
import { JOB_MACHINE_VERSION, jobMachine } from '../../machines/job.ts';
import { workerMachine } from '../../machines/worker.ts';
import type { JobId } from '../../src/job.ts';
import { findings, overflows } from '../../tools/page-faults.ts';
import { openPage } from './browser.ts';
import { browserSuite } from './browser-suite.ts';
import { LONG_NAME, RTL_NAME, WIDTHS } from './page-checks.ts';
import { openServiceWithPages, type ServiceWithPages } from './service-with-pages.ts';
import { jobIn } from '../job-in.ts';

/** The job machine with one additional state and transition. */
const GROWN = createMachine({
  ...Object(jobMachine.config),
  states: {
    ...jobMachine.config.states,
    completed: { on: { ARCHIVE: 'archived' } },
    archived: { type: 'final' },
  },
});

describe('the inspector in a browser', function () {
  const suite = browserSuite();
  let service: ServiceWithPages;
  before(async () => {
    service = await openServiceWithPages();
  });
  // A test that failed may have left the analysis held.
  afterEach(() => service.pipelines.release());
  after(() => (service as ServiceWithPages | undefined)?.close());
  const open = (path: string, options = {}, url = service.url) => openPage(suite.browser, url + path, options);
  /** A job that was interrupted, started again and completed. */
  const eventful = async (fileName = 'video.mp4'): Promise<JobId> => {
    service.pipelines.hold();
    const jobId = await service.submit(service.video(), fileName);
    await reached(jobId, 'running');
    await service.engine.dispatch(jobId, { type: 'INTERRUPT', attempt: 1, code: 'stalled', message: 'no frame came' });
    service.pipelines.release();
    await service.ended(jobId);
    return jobId;
  };
  const reached = (jobId: JobId, status: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = service.engine.onTransition((job) => {
        if (job.jobId !== jobId || job.status !== status) return;
        stop();
        resolve();
      });
      jobIn(service.store, jobId).then((job) => job.status === status && resolve(), reject);
    });
  const numberOn = (page: Page, state: string): Promise<string | null> =>
    page.locator(`.hero .state[data-state="${state}"] .count`).textContent();

  it('draws the job machine and the worker machine as they are defined', async () => {
    const { page, breaches } = await open('/inspector');
    await page.locator('.workers .state').first().waitFor();
    const names = (selector: string) => page.locator(`${selector} .state .name`).allTextContents();
    expect((await names('.hero')).toSorted()).to.deep.equal(Object.keys(jobMachine.states).toSorted());
    const states = Object.values(workerMachine.states).flatMap((region) => Object.keys(region?.states ?? {}));
    expect((await names('.workers')).toSorted()).to.deep.equal(states.toSorted());
    const drawn = await page
      .locator('.hero [data-transition]')
      .evaluateAll((labels) => labels.map((label) => label.getAttribute('data-transition')));
    const defined = Object.entries(jobMachine.definition.states).flatMap(([name, { on }]) =>
      Object.entries(on).flatMap(([event, choices]) =>
        [...choices].map(({ target }) => `job.${name}>${event}>${target?.[0]?.id}`),
      ),
    );
    expect(drawn).to.have.members(defined);
    expect(breaches).to.deep.equal([]);
  });

  it('writes each guard below its event', async () => {
    const { page } = await open('/inspector');
    const label = (transition: string) => page.locator(`[data-transition="${transition}"] > text`).allTextContents();
    await page.locator('.workers .state').first().waitFor();
    expect(await label('job.running>INTERRUPT>job.pending')).to.deep.equal(['INTERRUPT', '[mayTryAgain]']);
    expect(await label('worker.work.claiming>claim done>worker.work.resting')).to.deep.equal([
      'claim done',
      '[nothingWaits]',
    ]);
    expect(await label('worker.work.claiming>claim done>worker.work.analysing')).to.deep.equal(['claim done']);
  });

  it('changes its chart when the definition changes', async () => {
    const other = await openServiceWithPages({ machines: [{ machine: GROWN, version: JOB_MACHINE_VERSION }] });
    try {
      const { page } = await open('/inspector', {}, other.url);
      await page.locator('.hero .state[data-state="archived"]').waitFor();
      await page.locator('[data-transition="job.completed>ARCHIVE>job.archived"]').waitFor();
    } finally {
      await other.close();
    }
  });

  it('shows the number of jobs per state and highlights recent transitions by itself', async () => {
    const { page, breaches } = await open('/inspector');
    await page.locator('.hero .count').first().waitFor();
    const completedBefore = Number(await numberOn(page, 'completed'));
    service.pipelines.hold();
    const jobId = await service.submit(service.video());
    await page.locator('.hero .state[data-state="running"] .count', { hasText: '1' }).waitFor();
    await page.locator('[data-transition="job.pending>START>job.running"] .flash').waitFor({ state: 'attached' });
    await page.locator('.workers .state.is-active[data-state="analysing"]').waitFor();
    await page.locator('.worker-rows', { hasText: 'analysing' }).waitFor();
    await page.locator('.workers .state[data-state="analysing"] .token', { hasText: '1' }).waitFor();
    service.pipelines.release();
    await service.ended(jobId);
    await page
      .locator('.hero .state[data-state="completed"] .count', { hasText: String(completedBefore + 1) })
      .waitFor();
    await page.locator('.workers .state.is-active[data-state="resting"]').waitFor();
    const newest = page.locator('.recent-step').first();
    expect(await newest.locator('.recent-way').textContent()).to.equal('runningCOMPLETEcompleted');
    await newest.click();
    await page.getByText(jobId, { exact: true }).waitFor();
    expect(breaches).to.deep.equal([]);
  });

  it('shows the path of a finished job and replays it step by step, with the context at each step', async () => {
    const jobId = await eventful();
    const { page, breaches } = await open(`/inspector#job=${jobId}`);
    await page.getByText('5 / 5').waitFor();
    expect(await page.locator('.step-event').allTextContents()).to.deep.equal([
      'SUBMIT',
      'START',
      'INTERRUPT',
      'START',
      'COMPLETE',
    ]);
    expect(await page.locator('[data-transition="job.pending>START>job.running"] .times').textContent()).to.equal('2');
    const scrubber = page.getByLabel('Step of the job');
    await scrubber.fill('3');
    expect(await present(page)).to.deep.equal(['pending']);
    expect(await page.locator('.label.is-latest').getAttribute('data-transition')).to.equal(
      'job.running>INTERRUPT>job.pending',
    );
    expect(await page.locator('.context .is-changed').allTextContents()).to.deep.equal(['interruptions1']);
    await page.getByLabel('One step back').click();
    expect(await present(page)).to.deep.equal(['running']);
    expect(await page.locator('.label.is-walked').count()).to.equal(1);
    await page.getByLabel('One step back').click();
    await page.getByLabel('Replay from the start').click();
    await page.getByText('5 / 5').waitFor();
    expect(await present(page)).to.deep.equal(['completed']);
    expect(breaches).to.deep.equal([]);
  });

  it('filters by a pressed state, on the chart or by name, and opens any job by its id', async () => {
    const cancelled = await eventful();
    service.pipelines.hold();
    const failed = await service.submit(service.video());
    await reached(failed, 'running');
    await service.engine.cancel(failed);
    service.pipelines.release();
    const { page } = await open('/inspector');
    await page.locator('.hero .state[data-state="failed"]').click();
    await page.locator(`[data-job="${cancelled}"]`).waitFor({ state: 'detached' });
    await page.locator(`[data-job="${failed}"]`).waitFor();
    await page.getByRole('button', { name: /^completed \d/ }).click();
    await page.locator(`[data-job="${cancelled}"]`).waitFor();
    await page.getByLabel('Find a job by its name').fill(failed);
    await page.getByText('cancelled: cancelled while it was running').waitFor();
  });

  it('reports an unknown job, and a service that does not respond', async () => {
    const { page } = await open('/inspector#job=01900000-0000-7000-8000-000000000000');
    await page.getByText('There is no job 01900000-0000-7000-8000-000000000000').waitFor();
    await page.context().setOffline(true);
    await page.getByText('The service does not respond').first().waitFor();
    await page.context().setOffline(false);
    await page.locator('.link-state').waitFor({ state: 'hidden' });
  });

  it('can be used with the keyboard alone', async () => {
    const jobId = await eventful();
    const { page } = await open('/inspector');
    await page.locator('.hero .state[data-state="completed"]').focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('.hero .state.is-chosen .name').textContent()).to.equal('completed');
    await page.locator(`[data-job="${jobId}"]`).focus();
    await page.keyboard.press('Enter');
    await page.getByText('5 / 5').waitFor();
    await page.getByLabel('Step of the job').focus();
    await page.keyboard.press('ArrowLeft');
    await page.getByText('4 / 5').waitFor();
    await page.keyboard.press('Home');
    await page.getByText('1 / 5').waitFor();
  });

  it('shows key figures and stored steps, can be paused, and copies a job as JSON', async () => {
    const jobId = await eventful();
    const failing = await service.submit(service.video());
    await service.engine.cancel(failing);
    const context = { permissions: ['clipboard-read', 'clipboard-write'] };
    const { page, breaches } = await open('/inspector', context);
    const figure = (name: string) => page.locator('.figures > div', { hasText: name });
    await figure('Wait')
      .getByText(/\d m?s \/ /)
      .waitFor();
    await figure('Run')
      .getByText(/\d m?s \/ /)
      .waitFor();
    await figure('Failed')
      .getByText(/cancelled \d/)
      .waitFor();
    await page
      .locator('.recent-step', { hasText: `…${jobId.slice(-8)}` })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const before = await numberOn(page, 'completed');
    const another = await eventful();
    await page.locator(`[data-job="${another}"]`).waitFor();
    expect(await numberOn(page, 'completed')).to.equal(before);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page
      .locator('.hero .state[data-state="completed"] .count', { hasText: String(Number(before) + 1) })
      .waitFor();
    await page.locator(`[data-job="${jobId}"]`).click();
    await page.getByRole('button', { name: 'Copy as JSON' }).click();
    await page.getByText('Copied').waitFor();
    const copied = JSON.parse(String(await page.evaluate('navigator.clipboard.readText()')));
    expect(copied.job.job_id).to.equal(jobId);
    expect(copied.transitions).to.have.lengthOf(5);
    expect(breaches).to.deep.equal([]);
  });

  it('transfers nothing while the service is idle', async () => {
    const { page } = await open('/inspector');
    await page.locator('.job-row').first().waitFor();
    await page.waitForResponse((response) => response.url().includes('/video/jobs') && response.status() === 304);
    const answer = await page.waitForResponse((response) => response.url().endsWith('/machines/activity'));
    expect(answer.status()).to.equal(304);
  });

  it('has no finding of axe and nothing wider than its place, at any width, in light and in dark', async () => {
    const jobId = await eventful(LONG_NAME);
    await eventful(RTL_NAME);
    for (const path of ['/inspector', `/inspector#job=${jobId}`]) {
      const { page } = await open(path, { reducedMotion: 'reduce' });
      await page.locator('.job-row').first().waitFor();
      await page.locator('.workers .state').first().waitFor();
      for (const width of [360, ...WIDTHS]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await overflows(page), `${width} ${path}`).to.deep.equal([]);
        for (const colorScheme of width === 360 ? (['light', 'dark'] as const) : []) {
          await page.emulateMedia({ colorScheme });
          expect(await findings(page), `${colorScheme} ${path}`).to.deep.equal([]);
        }
      }
      await page.context().close();
    }
  });
});

function present(page: Page): Promise<string[]> {
  return page.locator('.hero .state.is-active .name').allTextContents();
}
