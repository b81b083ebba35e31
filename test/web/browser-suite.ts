import type { Browser } from 'playwright-core';
import { openBrowser } from './browser.ts';

/** Opens a browser for the tests of a suite, or skips them, and closes the pages of each test: they would go on polling. */
export function browserSuite(): { readonly browser: Browser } {
  let browser: Browser | undefined;
  before(async function () {
    browser = await openBrowser();
    if (browser === undefined) this.skip();
  });
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });
  after(() => browser?.close());
  return {
    get browser() {
      if (browser === undefined) throw new Error('no browser');
      return browser;
    },
  };
}
