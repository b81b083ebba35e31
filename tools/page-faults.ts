import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { z } from 'zod';

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

const axeSchema = z.array(
  z.object({ id: z.string(), impact: z.string().nullable(), nodes: z.array(z.object({ html: z.string() })) }),
);

/** Findings of axe-core of any severity, one per line. */
export async function findings(page: Page): Promise<readonly string[]> {
  const source = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  await page.evaluate(source);
  const violations = axeSchema.parse(await page.evaluate('axe.run().then(({ violations }) => violations)'));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}
