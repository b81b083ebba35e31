import type { Page } from 'playwright-core';
import type { JobId } from '../src/job.ts';

/** One state of a page, and how to get there. */
export interface Shot {
  readonly name: string;
  /** The API key to sign in with. */
  readonly key?: string;
  readonly path: string;
  /** A selector of what is there when the page is ready. */
  readonly sign: string;
  readonly prepare?: (page: Page) => Promise<void>;
}

export const READER_KEY = 'a-key-that-reads';
export const SENDER_KEY = 'a-key-that-submits';
/** The settings of a service with these keys. */
export const KEY_SETTINGS = { API_KEYS: `${READER_KEY}:read,${SENDER_KEY}:submit` };

export function shotsOfKeys(): readonly Shot[] {
  return [
    { name: 'sign-in', path: '/sign-in', sign: 'form' },
    { name: 'reader', key: READER_KEY, path: '/', sign: '.first-visit .note' },
    { name: 'sender', key: SENDER_KEY, path: '/', sign: '.first-actions' },
  ];
}

export function shotsOfNothing(): readonly Shot[] {
  return [
    { name: 'first-visit', path: '/', sign: '.first-visit' },
    {
      name: 'add-dialog',
      path: '/',
      sign: '.first-visit',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Try it with a sample' }).click();
        await page.getByText(/of video: about/).waitFor();
        await page.getByText('Only a part', { exact: true }).click();
      },
    },
    {
      name: 'upload-tray',
      path: '/',
      sign: '.first-visit',
      prepare: async (page) => {
        let sent = 0;
        await page.route('**/video/submit?*', async (route) => {
          sent += 1;
          // The first stays under way; the second is rejected.
          if (sent === 2)
            await route.fulfill({ status: 400, json: { code: 'invalid_mp4', detail: 'Invalid MP4 file' } });
        });
        await page.locator('.page-head').getByRole('button', { name: 'Add videos' }).click();
        const files = ['holiday.mp4', 'notes.mp4', `${'long-name-'.repeat(8)}.mp4`, 'street.mp4'];
        await page
          .getByLabel('Video files')
          .setInputFiles(files.map((name) => ({ name, mimeType: 'video/mp4', buffer: Buffer.alloc(9_000) })));
        await page.getByRole('button', { name: /^Analyse/ }).click();
        await page.locator('[data-upload=refused]').waitFor();
      },
    },
    { name: 'api', path: '/docs', sign: 'h1' },
    { name: 'unknown-job', path: '/#job=01900000-0000-7000-8000-000000000000', sign: '.problem' },
  ];
}

/** @param running a running job */
export function shotsOfRunning(running: JobId): readonly Shot[] {
  return [
    { name: 'library-busy', path: '/', sign: '.pill[data-state=running]' },
    {
      name: 'running',
      path: `/#job=${running}`,
      sign: '.unfinished',
      prepare: async (page) => {
        await page.getByText('Details').click();
        await page.locator('.chart .state').first().waitFor();
      },
    },
    { name: 'inspector-busy', path: '/inspector', sign: '.hero .count' },
  ];
}

export interface EndedJobs {
  readonly lecture: JobId;
  readonly portrait: JobId;
  readonly hevc: JobId;
  readonly person: JobId;
  readonly failed: JobId;
  readonly cancelled: JobId;
}

export function shotsOfEnded({ lecture, portrait, hevc, person, failed, cancelled }: EndedJobs): readonly Shot[] {
  return [
    { name: 'library', path: '/', sign: '.badge' },
    {
      name: 'selection',
      path: '/',
      sign: '.badge',
      prepare: async (page) => {
        for (const box of (await page.locator('.job-select').all()).slice(0, 3)) await box.check();
      },
    },
    {
      name: 'delete',
      path: '/',
      sign: '.badge',
      prepare: async (page) => {
        await page.locator('.job-select').first().check();
        await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
        await page.getByRole('dialog').waitFor();
      },
    },
    {
      name: 'menu',
      path: '/',
      sign: '.badge',
      prepare: (page) => page.locator('.job-menu summary').first().click(),
    },
    { name: 'search', path: '/#q=nearest', sign: '.hit' },
    { name: 'search-nothing', path: '/#q=zebra', sign: '.hits-count' },
    { name: 'video', path: `/#job=${lecture}&t=5.0`, sign: '.mark-box' },
    { name: 'find', path: `/#job=${lecture}&t=9.0&q=edges`, sign: 'mark' },
    {
      name: 'this-frame',
      path: `/#job=${lecture}&t=5.0`,
      sign: '.mark-box',
      prepare: async (page) => {
        await page.getByRole('tab', { name: 'This frame' }).click();
        await page.locator('.finding').first().click();
      },
    },
    {
      name: 'export',
      path: `/#job=${lecture}`,
      sign: '.mark-box',
      prepare: (page) => page.getByText('Export', { exact: true }).click(),
    },
    {
      name: 'objects',
      path: `/#job=${person}&t=1.6`,
      sign: '.mark-box',
      prepare: (page) => page.getByRole('tab', { name: 'Objects' }).click(),
    },
    {
      name: 'shown',
      path: `/#job=${person}&t=1.6`,
      sign: '.mark-box',
      prepare: (page) => page.getByLabel('What is shown').click(),
    },
    { name: 'portrait', path: `/#job=${portrait}&t=1.0`, sign: '.mark-box' },
    { name: 'contact-sheet', path: `/#job=${hevc}`, sign: '.contact-sheet' },
    { name: 'failed', path: `/#job=${failed}`, sign: '.unfinished' },
    { name: 'cancelled', path: `/#job=${cancelled}`, sign: '.unfinished' },
    { name: 'inspector', path: '/inspector', sign: '.job-row' },
    { name: 'inspector-job', path: `/inspector#job=${lecture}`, sign: '.step' },
    { name: 'inspector-cancelled', path: `/inspector#job=${cancelled}`, sign: '.step' },
    {
      name: 'shortcuts',
      path: `/#job=${lecture}`,
      sign: '.mark-box',
      prepare: async (page) => {
        await page.keyboard.press('?');
        await page.locator('.shortcuts').waitFor();
      },
    },
    {
      name: 'no-answer',
      path: '/',
      sign: '.badge',
      prepare: async (page) => {
        await page.route('**/video/jobs?*', (route) => route.abort());
        await page.locator('.link-state').getByText('does not respond').waitFor();
      },
    },
  ];
}
