import type { Page } from 'playwright-core';

/** Widths of a phone, a tablet, a laptop and a large screen, in CSS pixels. */
export const WIDTHS = [390, 768, 1280, 1920] as const;

/** Texts that are wider than their place, as a word without a break and as a line of another direction. */
export const LONG_NAME = `${'Donaudampfschifffahrtsgesellschaft'.repeat(5)}.mp4`;
export const RTL_NAME = 'محاضرة في الخوارزميات وهياكل البيانات للمبتدئين.mp4';

/** Shows the page in this width, and resolves when what follows the width has been drawn. */
export async function resize(page: Page, width: number, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: 800 });
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
}

/** Presses Tab until the element has the focus. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selector} is not reached with Tab`);
}
