import { expect } from 'chai';
import { openService, type ServiceUnderTest } from './service-under-test.ts';

describe('the pages over HTTP', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService();
  });
  after(() => service.close());

  const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(service.url + path, init);

  it('may load only resources of this service, and only the known inline script', async () => {
    for (const path of ['/', '/inspector']) {
      const answer = await get(path);
      expect(answer.headers.get('content-type')).to.equal('text/html; charset=utf-8');
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).to.match(/^default-src 'none'; script-src 'self' 'sha256-[\w+/]{43}='; /);
      expect(policy).not.to.match(/unsafe|https?:|\*|data:/);
      expect(policy.match(/[\w-]+ [^;]*blob:/g)).to.deep.equal(["media-src 'self' blob:"]);
      expect(policy).to.contain("frame-ancestors 'none'");
      const html = await answer.text();
      expect(html).not.to.match(/\s(?:style|on\w+)=|https?:/);
    }
  });

  it('and everything under /web/ have a type, nosniff and an ETag', async () => {
    const types = {
      '/web/styles/base.css': 'text/css; charset=utf-8',
      '/web/icon.svg': 'image/svg+xml',
      '/web/app/app.js': 'text/javascript; charset=utf-8',
      '/web/packages/preact.js': 'text/javascript; charset=utf-8',
      '/inspector': 'text/html; charset=utf-8',
    };
    for (const [path, type] of Object.entries(types)) {
      const { status, headers } = await get(path);
      expect([status, headers.get('content-type'), headers.get('x-content-type-options')], path).to.deep.equal([
        200,
        type,
        'nosniff',
      ]);
      const again = await get(path, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
      expect(again.status, path).to.equal(304);
    }
  });

  it('serve only their own files', async () => {
    for (const path of [
      '/web/',
      '/web/none.js',
      '/web/tsconfig.json',
      '/web/..%2fmain.js',
      '/web/%2e%2e/main.js',
      '/console',
    ]) {
      expect((await get(path)).status, path).to.equal(404);
    }
    expect((await get('/assets/000000000000/web/styles/base.css')).status).to.equal(404);
    expect(await (await get('/web/packages/dagre.js')).text()).not.to.contain('sourceMappingURL');
  });

  it('have immutable, compressed assets named by content, and preload what they need', async () => {
    const html = await (await get('/')).text();
    const addresses = [...html.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, address = '']) => address);
    expect(addresses.length).to.be.above(10);
    for (const address of addresses) {
      const answer = await get(`/${address}`, { headers: { 'accept-encoding': 'br' } });
      expect([
        answer.status,
        answer.headers.get('cache-control'),
        answer.headers.get('content-encoding'),
      ]).to.deep.equal([200, 'private, max-age=31536000, immutable', 'br']);
    }
    expect(addresses.some((address) => address.endsWith('preact.js'))).to.equal(true);
  });
});
