import { expect } from 'chai';
import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import type { Scope } from '../../src/http/schemas.ts';
import { openService, type ServiceUnderTest } from '../http/service-under-test.ts';
import { openPage } from './browser.ts';
import { browserSuite } from './browser-suite.ts';

const KEYS: readonly (readonly [key: string, scopes: readonly Scope[]])[] = [
  ['only-reads', ['read']],
  ['only-submits', ['submit']],
];

describe('the library and the scopes of a key', function () {
  const suite = browserSuite();
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService({
      keys: KEYS.map(([key, scopes]) => ({ sha256: createHash('sha256').update(key).digest('hex'), scopes })),
    });
  });
  after(() => (service as ServiceUnderTest | undefined)?.close());
  const signedIn = async (key: string): Promise<Page> => {
    const { page } = await openPage(suite.browser, `${service.url}/sign-in`);
    await page.getByLabel('Key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    return page;
  };

  it('offers no upload to a key that only reads', async () => {
    const page = await signedIn('only-reads');
    await page.getByText('Your key can only read videos').waitFor();
    expect(await page.getByRole('button', { name: 'Add videos' }).count()).to.equal(0);
  });

  it('lets a key that only submits add videos, and says that it sees none', async () => {
    const page = await signedIn('only-submits');
    await page.getByText('Your key adds videos.').waitFor();
    await page.locator('.page-head').getByRole('button', { name: 'Add videos' }).click();
    await page.locator('.pipeline', { hasText: 'yolo_ocr' }).waitFor();
    expect(await page.getByRole('alert').count()).to.equal(0);
  });
});
