import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { openProxy } from './proxy.ts';
import { form, openService, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

const BASE = '/apps/reelstate';
const KEY = 'the-key-of-this-test';
const importMapSchema = z.object({ imports: z.record(z.string(), z.string()) });

for (const strips of [false, true]) {
  describe(`behind a proxy that serves it under a path and ${strips ? 'removes it' : 'passes it on'}`, () => {
    let service: ServiceUnderTest;
    let proxy: Awaited<ReturnType<typeof openProxy>>;
    const headers = { 'X-API-Key': KEY };
    before(async () => {
      service = await openService({
        basePath: BASE,
        keys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), scopes: ['submit', 'read'] }],
      });
      proxy = await openProxy({ port: service.port, basePath: BASE, strips });
    });
    after(async () => {
      await proxy.close();
      await service.close();
    });
    const get = (path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(proxy.origin + BASE + path, { ...init, headers });

    it('serves its pages and their assets', async () => {
      for (const path of ['/', '/inspector', '/sign-in', '/docs']) {
        const page = await get(path);
        expect(page.status, path).to.equal(200);
        const html = await page.text();
        const [, importMap] = /<script type="importmap">(.*?)<\/script>/s.exec(html) ?? [];
        const addresses = [
          ...[...html.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, address = '']) => address),
          ...(importMap === undefined ? [] : Object.values(importMapSchema.parse(JSON.parse(importMap)).imports)),
        ];
        expect(addresses).not.to.have.length(0);
        for (const address of addresses) {
          const named = await fetch(new URL(address, page.url), { headers });
          expect(named.status, `${address} of ${path}`).to.equal(200);
          await named.arrayBuffer();
        }
      }
    });

    it('gives working addresses of jobs', async () => {
      const submitted = await get('/video/submit', { method: 'POST', body: form({ pipeline_id: 'ocr_only' }, VIDEO) });
      expect(submitted.status).to.equal(202);
      const location = submitted.headers.get('location') ?? '';
      expect(location).to.match(new RegExp(`^${BASE}/video/status/`));
      expect((await fetch(new URL(location, submitted.url), { headers })).status).to.equal(200);
    });

    it('gives working addresses of machines and of itself', async () => {
      const answer = z
        .object({ machines: z.array(z.object({ href: z.string() })) })
        .parse(await (await get('/machines')).json());
      for (const { href } of answer.machines) {
        expect((await fetch(new URL(href, proxy.origin), { headers })).status, href).to.equal(200);
      }
      const described = z
        .object({ servers: z.array(z.object({ url: z.string() })) })
        .parse(await (await get('/openapi.json')).json());
      expect(described.servers).to.deep.equal([{ url: BASE }]);
    });

    it('limits its cookie to its path', async () => {
      const signedIn = await get('/session', { method: 'POST' });
      const cookie = signedIn.headers.get('set-cookie') ?? '';
      expect(cookie.toLowerCase()).to.contain(`path=${BASE};`);
      const withCookie = await fetch(`${proxy.origin}${BASE}/pipelines`, {
        headers: { cookie: cookie.split(';')[0] ?? '' },
      });
      expect(withCookie.status).to.equal(200);
    });

    it('responds at the path itself, and without it to direct requests', async () => {
      const console = await fetch(proxy.origin + BASE);
      expect([console.status, new URL(console.url).pathname]).to.deep.equal([200, strips ? BASE : `${BASE}/`]);
      expect((await fetch(`${service.url}/health`)).status).to.equal(200);
      expect((await fetch(`${service.url}${BASE}/health`)).status).to.equal(200);
      expect((await fetch(`${service.url}${BASE}x/health`)).status).to.equal(404);
    });
  });
}

it('no endpoint has an allowed base path', async () => {
  const { parseConfig } = await import('../../src/config.ts');
  for (const { path } of ENDPOINTS) {
    const [, first] = path.split('/');
    expect(() => parseConfig({ BASE_PATH: `/${first}/x` }), path).to.throw('begins like one of the paths');
  }
});
