import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { ReelstateClient } from '../../src/client/reelstate-client.ts';
import { startService } from '../../tools/service-process.ts';
import { spawnReelstate } from '../cli/command-line.ts';
import { rowsOf } from '../query/query-harness.ts';
import { openBrowser, openPage } from '../web/browser.ts';
import { captionOf, type ScaledVideos } from './scaled-videos.ts';

const LOOK_EVERY_MS = 100;
/** The largest page of the list. */
const PAGE = 100;

/** Imports results into a new data folder and finds every one in the list, search, SQL and the library page. */
export async function showsImported({ folder, count }: ScaledVideos, output: string): Promise<void> {
  const dataDir = join(folder, 'data');
  const imported = await spawnReelstate(['import', output], { environment: { DATA_DIR: dataDir }, cwd: folder });
  expect(imported).to.include({ code: 0, stderr: '' });
  expect(imported.stdout.match(/ {2}imported {2}/g)).to.have.lengthOf(count);

  const captions = Array.from({ length: count }, (_, index) => captionOf(index));
  const service = await startService({
    dataDir,
    signal: new AbortController().signal,
    settings: { PIPELINE_THREADS: '1' },
  });
  try {
    const client = new ReelstateClient({ url: service.url });
    const { jobs } = await client.page({ status: 'completed', limit: PAGE });
    expect(jobs).to.have.lengthOf(count);

    while (!(await client.search({ text: 'clip' })).complete) await wait(LOOK_EVERY_MS);
    for (const text of captions) {
      // Similar texts follow.
      const [hit] = (await client.search({ text, limit: 1 })).hits;
      expect(hit?.segments[0]).to.include({ text });
    }
    const texts = await rowsOf(dataDir, 'SELECT text, count(DISTINCT job_id)::INT AS jobs FROM texts GROUP BY ALL');
    expect(texts).to.have.deep.members(captions.map((text) => ({ text, jobs: 1 })));

    const browser = await openBrowser();
    if (browser === undefined) return;
    try {
      const { page, breaches } = await openPage(browser, `${service.url}/`);
      await page.locator('.job-card', { hasText: captionOf(count - 1) }).waitFor();
      await page.getByRole('searchbox', { name: 'Search all videos' }).fill(captionOf(0));
      await page.locator('.hit', { hasText: captionOf(0) }).waitFor();
      expect(breaches).to.deep.equal([]);
    } finally {
      await browser.close();
    }
  } finally {
    await service.kill();
  }
}
