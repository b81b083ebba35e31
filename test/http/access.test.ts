import { expect } from 'chai';
import crypto, { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { ApiKey } from '../../src/http/middleware/access.ts';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import type { Scope } from '../../src/http/schemas.ts';
import { sessionResponseSchema, submitResponseSchema } from '../../src/http/schemas.ts';
import {
  form,
  NOTHING,
  openService,
  problemOf,
  send,
  VIDEO,
  type ServiceSettings,
  type ServiceUnderTest,
} from './service-under-test.ts';

const keyOf = (key: string, ...scopes: Scope[]): ApiKey => ({
  sha256: createHash('sha256').update(key).digest('hex'),
  scopes: scopes.length === 0 ? ['submit', 'read', 'admin'] : scopes,
});
const ALL = randomBytes(18).toString('base64url');
const READ = randomBytes(18).toString('base64url');
const SUBMIT = randomBytes(18).toString('base64url');
const KEYS = [keyOf(ALL), keyOf(READ, 'read'), keyOf(SUBMIT, 'submit')];

describe('access to the service', () => {
  let service: ServiceUnderTest;
  let lines: string[];
  const opened = async (settings: ServiceSettings): Promise<void> => {
    lines = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    service = await openService({ log, ...settings });
  };
  afterEach(() => service.close());

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    send(service.port, { path, method, headers });
  const submit = (headers: Record<string, string>, fileName?: string) =>
    fetch(`${service.url}/video/submit`, {
      method: 'POST',
      headers,
      body: form({ pipeline_id: 'ocr_only' }, VIDEO, fileName),
    });

  describe('with keys', () => {
    beforeEach(() => opened({ keys: KEYS }));

    it('is rejected without a key at every endpoint with data about jobs', async () => {
      for (const { method, path, operationId, scope } of ENDPOINTS) {
        const { status, headers } = await ask(path.replaceAll(/\{\w+\}/g, uuidv7()), {}, method);
        const isOpen = scope === null && operationId !== 'beginSession';
        expect(status === 401, `${method} ${path}`).to.equal(!isOpen);
        if (!isOpen) expect(headers['www-authenticate']).to.equal('Bearer realm="reelstate"');
      }
    });

    it('is granted at every endpoint by a key with its scope, and by no other', async () => {
      const given: Record<Scope, string[]> = { read: [READ, ALL], submit: [SUBMIT, ALL], admin: [ALL] };
      for (const { method, path, scope } of ENDPOINTS) {
        if (scope === null) continue;
        for (const key of [ALL, READ, SUBMIT]) {
          const { status, headers } = await ask(path.replaceAll(/\{\w+\}/g, uuidv7()), { 'x-api-key': key }, method);
          expect(status, `${method} ${path}`).not.to.equal(401);
          expect(status === 403, `${method} ${path}`).to.equal(!given[scope].includes(key));
          if (status === 403) expect(headers['www-authenticate']).to.contain(`scope="${scope}"`);
        }
      }
    });

    it('accepts a key as X-API-Key or Bearer token, and never in an address', async () => {
      expect((await ask('/pipelines', { 'x-api-key': READ })).status).to.equal(200);
      expect((await ask('/pipelines', { authorization: `Bearer ${READ}` })).status).to.equal(200);
      expect((await ask('/pipelines', { authorization: `bearer  ${READ}` })).status).to.equal(200);
      for (const name of ['api_key', 'key', 'access_token', 'X-API-Key']) {
        expect((await ask(`/pipelines?${name}=${READ}`)).status).to.equal(401);
      }
      const basic = Buffer.from(`${READ}:${READ}`).toString('base64');
      expect((await ask('/pipelines', { authorization: `Basic ${basic}` })).status).to.equal(401);
    });

    it('rejects everything that is almost a key', async () => {
      for (const wrong of [
        READ.slice(1),
        `${READ}x`,
        READ.toUpperCase(),
        'x'.repeat(8000),
        '\u00ff',
        KEYS[0]?.sha256 ?? '',
      ]) {
        const { status } = await ask('/pipelines', { 'x-api-key': wrong });
        expect(status).to.equal(401);
      }
    });

    it('compares the key with every valid key in constant time', async () => {
      const compared = mock.method(crypto, 'timingSafeEqual');
      syncBuiltinESMExports();
      try {
        for (const given of [`${ALL.slice(0, -1)}.`, `.${ALL.slice(1)}`, 'x', 'x'.repeat(8000), ALL, SUBMIT]) {
          compared.mock.resetCalls();
          await ask('/pipelines', { 'x-api-key': given });
          const hash = createHash('sha256').update(given).digest('hex');
          const pairs = compared.mock.calls.map(({ arguments: [known, asked] }) => [hexOf(known), hexOf(asked)]);
          expect(pairs).to.deep.equal(KEYS.map(({ sha256 }) => [sha256, hash]));
        }
      } finally {
        mock.restoreAll();
        syncBuiltinESMExports();
      }
    });

    it('rejects an upload without a key before it reads it, and keeps nothing of it', async () => {
      expect(await problemOf(await submit({}))).to.include({ status: 401, code: 'unauthenticated' });
      expect(await problemOf(await submit({ 'x-api-key': READ }))).to.include({ status: 403, code: 'scope_missing' });
      expect(await service.traces()).to.deep.equal(NOTHING);
      expect((await submit({ 'x-api-key': SUBMIT })).status).to.equal(202);
    });

    it('serves the health and the pages with a revoked key', async () => {
      for (let n = 0; n < 30; n += 1) {
        for (const path of ['/health', '/ready', '/', '/docs', '/openapi.json', '/session']) {
          expect((await ask(path, { 'x-api-key': 'a key of last year' })).status, path).to.equal(200);
        }
      }
      expect((await ask('/pipelines', { 'x-api-key': 'a key of last year' })).status).to.equal(429);
    });

    it('delays clients that guess keys, and no others', async () => {
      const statuses: number[] = [];
      for (let n = 0; n < 40; n += 1) statuses.push((await ask('/pipelines', { 'x-api-key': `guess ${n}` })).status);
      expect(statuses.slice(0, 20)).to.deep.equal(Array.from({ length: 20 }, () => 401));
      expect(statuses).to.include(429);
      const limited = await ask('/pipelines', { 'x-api-key': 'guess' });
      expect(Number(limited.headers['retry-after'])).to.be.within(1, 10);
      expect((await ask('/pipelines', { 'x-api-key': READ })).status).to.equal(200);
    });

    it('writes no key, cookie or file name into the log at any level', async () => {
      const name = 'my secret holiday.mp4';
      const { job_id: jobId } = submitResponseSchema.parse(await (await submit({ 'x-api-key': ALL }, name)).json());
      const session = await ask('/session', { 'x-api-key': ALL }, 'POST');
      const cookie = String(session.headers['set-cookie']).split(';')[0] ?? '';
      await ask(`/video/status/${jobId}?key=${READ}`, { cookie });
      await ask('/video/status/x', { 'x-api-key': 'a-wrong-key' });
      const text = lines.join('');
      for (const secret of [ALL, READ, cookie.split('=')[1] ?? '?', 'a-wrong-key', 'holiday']) {
        expect(text).not.to.contain(secret);
      }
      expect(text).to.contain(jobId).and.to.contain(KEYS[0]?.sha256.slice(0, 12));
    });
  });

  describe('by a session', () => {
    beforeEach(() => opened({ keys: KEYS }));

    const begin = async (key: string) => {
      const answer = await ask('/session', { 'x-api-key': key }, 'POST');
      return { answer, cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '' };
    };

    it('starts with a key and continues with a cookie that no script reads and no other site sends', async () => {
      const { answer, cookie } = await begin(READ);
      expect(answer.status).to.equal(200);
      const attributes = String(answer.headers['set-cookie']).toLowerCase();
      expect(attributes)
        .to.match(/; httponly/)
        .and.to.match(/; samesite=strict/)
        .and.to.match(/; path=\//);
      expect(cookie).not.to.contain(READ);
      expect((await ask('/pipelines', { cookie })).status).to.equal(200);
      expect((await ask('/video/submit', { cookie }, 'POST')).status).to.equal(403);
      const told = sessionResponseSchema.parse(JSON.parse((await ask('/session', { cookie })).text));
      expect(told).to.deep.equal({ signed_in: true, key_needed: false, scopes: ['read'] });
    });

    it('cannot be started by another session, so that none exceeds twelve hours', async () => {
      const { cookie } = await begin(READ);
      const again = await ask('/session', { cookie }, 'POST');
      expect(again.status).to.equal(401);
      expect(again.headers).not.to.have.property('set-cookie');
      expect((await ask('/session', { cookie, authorization: 'Basic x' }, 'POST')).status).to.equal(401);
      expect((await ask('/session', { cookie, 'x-api-key': READ }, 'POST')).status).to.equal(200);
      expect((await ask('/pipelines', { cookie })).status).to.equal(401);
    });

    it('is one of at most fifty of its key, and no other key can end it', async () => {
      const { cookie: other } = await begin(ALL);
      const { cookie: first } = await begin(READ);
      const { cookie: second } = await begin(READ);
      for (let n = 0; n < 49; n += 1) await begin(READ);
      expect((await ask('/pipelines', { cookie: first })).status).to.equal(401);
      expect((await ask('/pipelines', { cookie: second })).status).to.equal(200);
      expect((await ask('/pipelines', { cookie: other })).status).to.equal(200);
    });

    it('is in the audit log, as are cancels and deletions', async () => {
      const { job_id: jobId } = submitResponseSchema.parse(await (await submit({ 'x-api-key': ALL })).json());
      const { cookie } = await begin(ALL);
      await ask(`/video/cancel/${jobId}`, { cookie }, 'POST');
      await ask(`/video/cancel/${uuidv7()}`, { cookie }, 'POST');
      await ask(`/video/jobs/${jobId}`, { 'x-api-key': ALL }, 'DELETE');
      await ask('/session', { cookie }, 'DELETE');
      await ask('/session', { 'x-api-key': 'wrong' }, 'POST');
      const audited = lines
        .map((line) => Object(JSON.parse(line)))
        .filter(({ msg }) => msg === 'audit')
        .map(({ action, caller, address, job_id: job }) => [action, caller, address, job]);
      const caller = KEYS[0]?.sha256.slice(0, 12);
      expect(audited).to.deep.equal([
        ['sign_in', caller, '127.0.0.1', undefined],
        ['cancel', caller, '127.0.0.1', jobId],
        ['delete_files', caller, '127.0.0.1', jobId],
        ['sign_out', caller, '127.0.0.1', undefined],
        ['wrong_key', undefined, '127.0.0.1', undefined],
      ]);
    });

    it('does not start with a wrong key or without one', async () => {
      for (const headers of [{ 'x-api-key': 'wrong' }, {}]) {
        const answer = await ask('/session', headers, 'POST');
        expect(answer.status).to.equal(401);
        expect(answer.headers).not.to.have.property('set-cookie');
      }
      const told = sessionResponseSchema.parse(JSON.parse((await ask('/session')).text));
      expect(told).to.deep.equal({ signed_in: false, key_needed: true, scopes: [] });
    });

    it('ends when the page signs out, also for a copy of the cookie', async () => {
      const { cookie } = await begin(READ);
      const ended = await ask('/session', { cookie }, 'DELETE');
      expect(ended.status).to.equal(204);
      expect(String(ended.headers['set-cookie'])).to.match(/reelstate_session=;/);
      expect((await ask('/pipelines', { cookie })).status).to.equal(401);
    });

    it('cannot be used by a page of another origin or another port of this host', async () => {
      const { cookie } = await begin(ALL);
      for (const origin of ['https://evil.example', 'http://127.0.0.1:1', 'null', `http://localhost:${service.port}`]) {
        const { status } = await ask('/video/submit', { cookie, origin }, 'POST');
        expect(status, origin).to.equal(403);
      }
      expect((await ask('/pipelines', { cookie, origin: service.url })).status).to.equal(200);
    });
  });

  describe('with keys in a file', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'keys-'));
      await writeFile(join(folder, 'keys'), `${ALL}\n${READ}:read\n`);
      await opened({ keysFile: join(folder, 'keys') });
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('changes with the file, for keys and their sessions', async () => {
      const begun = await ask('/session', { 'x-api-key': ALL }, 'POST');
      const cookie = String(begun.headers['set-cookie']).split(';')[0] ?? '';
      expect((await ask('/pipelines', { cookie })).status).to.equal(200);
      await writeFile(join(folder, 'keys'), `${SUBMIT}:submit\n${READ}:submit\n`);
      while ((await ask('/pipelines', { 'x-api-key': ALL })).status === 200) await setImmediate();
      expect((await ask('/pipelines', { cookie })).status).to.equal(401);
      expect((await ask('/pipelines', { 'x-api-key': READ })).status).to.equal(403);
      expect((await submit({ 'x-api-key': SUBMIT })).status).to.equal(202);
    });
  });

  describe('without keys, for everyone', () => {
    const names = async (): Promise<Record<string, number>> => {
      const found: Record<string, number> = {};
      for (const host of [
        'evil.example',
        'Reelstate.example.org:80',
        'localhost',
        '127.0.0.1',
        '10.1.2.3:8000',
        '[fd00::1]',
      ]) {
        found[host] = (await ask('/video/jobs', { host })).status;
      }
      return found;
    };
    const KNOWN = { localhost: 200, '127.0.0.1': 200, '10.1.2.3:8000': 200, '[fd00::1]': 200 };

    it('is rejected under a name that is not allowed', async () => {
      await opened({ isPrivate: false, allowedHosts: ['reelstate.example.org'] });
      expect(await names()).to.deep.equal({ 'evil.example': 403, 'Reelstate.example.org:80': 200, ...KNOWN });
      const page = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' };
      expect((await ask('/video/submit', page, 'POST')).status).to.equal(403);
    });

    it('accepts no names until they are allowed', async () => {
      await opened({ isPrivate: false });
      expect(await names()).to.deep.equal({ 'evil.example': 403, 'Reelstate.example.org:80': 403, ...KNOWN });
    });

    it('accepts any name with keys, or only the allowed ones', async () => {
      await opened({ keys: KEYS });
      expect((await ask('/health', { host: 'evil.example' })).status).to.equal(200);
      await service.close();
      await opened({ keys: KEYS, allowedHosts: ['reelstate.example.org'] });
      expect((await ask('/health', { host: 'evil.example' })).status).to.equal(403);
      expect((await ask('/health', { host: 'reelstate.example.org' })).status).to.equal(200);
    });
  });

  describe('without keys, on loopback', () => {
    beforeEach(() => opened({}));

    it('rejects every request of pages of other origins', async () => {
      const pages: Record<string, string>[] = [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
        { origin: `http://evil.example:${service.port}`, host: `evil.example:${service.port}` },
      ];
      for (const headers of pages) {
        for (const [method, path] of [
          ['POST', '/video/submit'],
          ['GET', '/video/jobs'],
          ['GET', '/'],
          ['POST', `/video/cancel/${uuidv7()}`],
        ] as const) {
          const { status, text } = await ask(path, headers, method);
          expect(status, JSON.stringify(headers)).to.equal(403);
          expect(text).to.contain('foreign_origin');
        }
      }
      expect(await service.traces()).to.deep.equal(NOTHING);
    });

    it("is rejected under a name that is not this machine's", async () => {
      for (const host of [
        'evil.example',
        `evil.example:${service.port}`,
        '127.0.0.1.evil.example',
        '10.0.0.1',
        '@',
        '',
      ]) {
        const { status } = await ask('/video/jobs', { host });
        expect(status, host).to.equal(host === '' ? 200 : 403);
      }
      for (const host of [
        'localhost',
        `LOCALHOST:${service.port}`,
        '127.0.0.1',
        '127.1.2.3:80',
        `[::1]:${service.port}`,
      ]) {
        expect((await ask('/video/jobs', { host })).status, host).to.equal(200);
      }
    });

    it('is open to programs, to its own pages, and to a link that a user follows', async () => {
      const callers: Record<string, string>[] = [
        {},
        { 'sec-fetch-site': 'same-origin', origin: service.url },
        { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      ];
      for (const headers of callers) expect((await ask('/', headers)).status).to.equal(200);
    });

    it('allows nothing to other origins, and sends restrictions to browsers', async () => {
      for (const [method, path] of [
        ['OPTIONS', '/video/submit'],
        ['GET', '/video/jobs'],
        ['GET', '/nothing'],
      ] as const) {
        const { headers } = await ask(path, {}, method);
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).to.deep.equal([]);
        expect(headers).to.include({
          'x-content-type-options': 'nosniff',
          'cross-origin-resource-policy': 'same-origin',
          'referrer-policy': 'no-referrer',
        });
        expect(headers['content-security-policy']).to.contain("default-src 'none'");
        expect(headers['cache-control']).to.match(/no-store|no-cache/);
      }
    });
  });
});

function hexOf(bytes: NodeJS.ArrayBufferView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
