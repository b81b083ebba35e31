import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { keptLog } from '../kept-log.ts';
import { openService, send, type ServiceSettings, type ServiceUnderTest } from './service-under-test.ts';

const KEY = 'the-key-of-these-tests';
const KEYS = [{ sha256: createHash('sha256').update(KEY).digest('hex'), scopes: ['submit', 'read', 'admin'] as const }];

describe('a client behind a proxy', () => {
  let service: ServiceUnderTest;
  const opened = async (settings: ServiceSettings) => {
    const { log, lines } = keptLog();
    service = await openService({ log, keys: KEYS, ...settings });
    return lines;
  };
  afterEach(() => service.close());
  /** Returns the address that the service uses for the client. */
  const addressOf = async (lines: Readonly<Record<string, unknown>>[], forwarded: string) => {
    const headers = { 'x-api-key': KEY, 'x-forwarded-for': forwarded };
    await send(service.port, { path: '/session', method: 'POST', headers });
    return lines.findLast(({ msg }) => msg === 'audit')?.['address'];
  };

  it('has the last forwarded address that is not a proxy, never a forged one', async () => {
    const lines = await opened({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] });
    for (const [forwarded, address] of [
      ['203.0.113.7', '203.0.113.7'],
      ['1.2.3.4, 203.0.113.7', '203.0.113.7'],
      ['1.2.3.4, 203.0.113.7, 10.1.1.1', '203.0.113.7'],
      ['203.0.113.7:4711', '203.0.113.7'],
      ['[2001:db8::7]:4711', '2001:db8::7'],
      ['2001:db8::7', '2001:db8::7'],
      ['10.1.1.1', '10.1.1.1'],
      ['203.0.113.7, nonsense', '127.0.0.1'],
      ['', '127.0.0.1'],
    ] as const) {
      expect(await addressOf(lines, forwarded), forwarded).to.equal(address);
    }
  });

  it('counts as the proxy if that is not trusted', async () => {
    const lines = await opened({});
    expect(await addressOf(lines, '203.0.113.7')).to.equal('127.0.0.1');
  });

  it('has its own limit of requests', async () => {
    await opened({ trustedProxies: ['127.0.0.1'], requestsPerS: 1 });
    const ask = async (address: string) =>
      (await send(service.port, { path: '/health', method: 'GET', headers: { 'x-forwarded-for': address } })).status;
    const one = [
      await ask('203.0.113.7'),
      await ask('203.0.113.7'),
      await ask('203.0.113.7'),
      await ask('203.0.113.7'),
    ];
    expect(one).to.include(429);
    expect(await ask('203.0.113.8')).to.equal(200);
  });

  it('with TLS gets a cookie for TLS only and for this host only', async () => {
    for (const [settings, name, path] of [
      [{}, '__Host-reelstate_session', '/'],
      [{ basePath: '/reelstate' }, '__Secure-reelstate_session', '/reelstate'],
    ] as const) {
      await opened({ ...settings, trustedProxies: ['127.0.0.1'] });
      const tls = { 'x-forwarded-proto': 'https' };
      const begun = await send(service.port, { path: '/session', headers: { 'x-api-key': KEY, ...tls } });
      const cookie = String(begun.headers['set-cookie']);
      expect(cookie).to.match(new RegExp(`^${name}=[\\w-]{43}; path=${path}; `));
      expect(cookie.toLowerCase()).to.contain('; secure').and.to.contain('; httponly');
      const sent = { cookie: cookie.split(';')[0] ?? '' };
      const get = (headers: Record<string, string>) =>
        send(service.port, { path: '/pipelines', method: 'GET', headers });
      expect((await get({ ...sent, ...tls })).status).to.equal(200);
      expect((await get(sent)).status).to.equal(401);
      if (path === '/') await service.close();
    }
  });

  it('gets a plain cookie if it claims TLS itself', async () => {
    await opened({});
    const headers = { 'x-api-key': KEY, 'x-forwarded-proto': 'https' };
    const begun = await send(service.port, { path: '/session', headers });
    expect(String(begun.headers['set-cookie']))
      .to.match(/^reelstate_session=/)
      .and.not.to.match(/secure/i);
  });
});
