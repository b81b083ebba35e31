import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import { findings } from '../../tools/page-faults.ts';
import { form, openService, VIDEO, type ServiceUnderTest } from '../http/service-under-test.ts';
import { openPage } from './browser.ts';
import { browserSuite } from './browser-suite.ts';

const KEY = 'the-key-of-this-test';

for (const basePath of ['', '/reelstate']) {
  describe(`signing in with a browser at ${basePath}/`, function () {
    const suite = browserSuite();
    let service: ServiceUnderTest;
    before(async () => {
      service = await openService({
        basePath,
        keys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), scopes: ['submit', 'read'] }],
      });
    });
    after(() => (service as ServiceUnderTest | undefined)?.close());

    it('needs a key once; then everything works, also the video element, and no script sees the cookie', async () => {
      const submitted = await fetch(`${service.url}/video/submit`, {
        method: 'POST',
        headers: { 'X-API-Key': KEY },
        body: form({ pipeline_id: 'ocr_only' }, VIDEO),
      });
      const { job_id: jobId } = submitResponseSchema.parse(await submitted.json());
      const { page, breaches } = await openPage(suite.browser, `${service.url}${basePath}/#job=${jobId}`);
      const key = page.getByLabel('Key');
      await key.waitFor();
      expect(await findings(page)).to.deep.equal([]);
      await key.fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').filter({ hasText: 'not known' }).waitFor();
      await key.fill(KEY);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Waiting for its turn' }).waitFor();
      expect(new URL(page.url()).hash).to.equal(`#job=${jobId}`);
      expect(await page.evaluate('document.cookie')).to.equal('');
      const video = `fetch('video/source/${jobId}').then((answer) => answer.status)`;
      expect(await page.evaluate(video)).to.equal(200);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Key').waitFor();
      expect(await page.evaluate(video)).to.equal(401);
      expect(breaches).to.deep.equal([]);
      await page.context().close();
    });
  });
}
