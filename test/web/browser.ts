import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** Debian's Chromium; undefined with a message if it is missing, which is an error in continuous integration. */
export async function openBrowser(): Promise<Browser | undefined> {
  if (existsSync(CHROMIUM)) return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  if (process.env['CI'] !== undefined) throw new Error(`${CHROMIUM} is missing: apt-get install -y chromium`);
  process.stdout.write(`    browser tests are skipped: there is no ${CHROMIUM} (apt-get install -y chromium)\n`);
  return undefined;
}

/** A page in its own context that records violations of its policy, requests to other servers and errors. */
export interface WatchedPage {
  readonly page: Page;
  /** Violations of the content security policy, requests to other servers, uncaught errors, error messages. */
  readonly breaches: readonly string[];
}

export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(300_000);
  const page = await context.newPage();
  const breaches: string[] = [];
  const { origin } = new URL(address);
  page.on('console', (message) => {
    // A rejected upload and an unknown job are not errors of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      breaches.push(message.text());
  });
  page.on('pageerror', (error) => breaches.push(String(error)));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'blob:' && url.origin !== origin) breaches.push(`request to ${url.href}`);
  });
  await page.addInitScript(`addEventListener('securitypolicyviolation', (event) => {
    console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI);
  })`);
  await page.goto(address);
  return { page, breaches };
}
