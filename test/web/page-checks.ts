import type { Page } from 'playwright-core';
import { z } from 'zod';

/** Widths of a phone, a tablet, a laptop and a large screen, in CSS pixels. */
export const WIDTHS = [390, 768, 1280, 1920] as const;

/** Texts that are wider than their place, as a word without a break and as a line of another direction. */
export const LONG_NAME = `${'Donaudampfschifffahrtsgesellschaft'.repeat(5)}.mp4`;
export const RTL_NAME = 'محاضرة في الخوارزميات وهياكل البيانات للمبتدئين.mp4';

const textsSchema = z.array(z.string());

/** Elements that stand out of the page to the right or the left, and what makes the page scroll sideways. */
export async function overflows(page: Page): Promise<readonly string[]> {
  return textsSchema.parse(
    await page.evaluate(`(() => {
      const width = document.documentElement.clientWidth;
      const isClipped = (element) => {
        for (let parent = element.parentElement; parent !== null; parent = parent.parentElement)
          if (getComputedStyle(parent).overflowX !== 'visible') return true;
        return false;
      };
      const found = [...document.body.querySelectorAll('*')].filter((element) => {
        const { left, right, width: own } = element.getBoundingClientRect();
        if (own === 0 || element.closest('.skip') !== null) return false;
        return (right > width + 1 || left < -1) && !isClipped(element);
      });
      const sideways = document.documentElement.scrollWidth > width ? ['the page scrolls sideways'] : [];
      return [...sideways, ...found.map((element) => element.tagName + '.' + element.getAttribute('class'))];
    })()`),
  );
}

/** Presses Tab until the element has the focus. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selector} is not reached with Tab`);
}
