import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import {
  FILE_HEAD,
  form,
  MULTIPART,
  multipart,
  openService,
  problemOf,
  send,
  VIDEO,
  type Answer,
  type ServiceSettings,
  type ServiceUnderTest,
} from './service-under-test.ts';

const ONE = 'the-first-key-of-these';
const TWO = 'the-second-key-of-these';
const KEYS = [ONE, TWO].map((key) => ({
  sha256: createHash('sha256').update(key).digest('hex'),
  scopes: ['submit', 'read'] as const,
}));

describe('the share of one client', () => {
  let service: ServiceUnderTest;
  const opened = async (settings: ServiceSettings): Promise<void> => {
    service = await openService({ clientSharePercent: 50, ...settings });
  };
  afterEach(() => service.close());

  const submit = (key: string, more: Record<string, string> = {}): Promise<Response> =>
    fetch(`${service.url}/video/submit`, {
      method: 'POST',
      headers: { 'X-API-Key': key, ...more },
      body: form({ pipeline_id: 'ocr_only' }, VIDEO),
    });
  const submitFrom = async (localAddress: string): Promise<Answer> =>
    send(
      service.port,
      { path: '/video/submit?pipeline_id=ocr_only', headers: { ...MULTIPART, 'x-api-key': ONE }, localAddress },
      [multipart([{ head: FILE_HEAD, body: VIDEO }])],
    );
  const jobOf = async (response: Response) => submitResponseSchema.parse(await response.json()).job_id;

  it('of pending jobs leaves capacity for another, and is freed as its jobs start', async () => {
    await opened({ keys: KEYS, maxPending: 4 });
    const first = await jobOf(await submit(ONE));
    const second = await jobOf(await submit(ONE));
    const refused = await submit(ONE);
    expect(refused.headers.get('retry-after')).to.equal('10');
    expect(await problemOf(refused)).to.include({ status: 429, code: 'too_many_requests' });
    expect((await submit(ONE, { 'Idempotency-Key': 'another' })).status).to.equal(429);
    expect((await submit(TWO)).status).to.equal(202);

    await service.engine.dispatch(first, { type: 'START' });
    await jobOf(await submit(ONE));
    expect((await submit(ONE)).status).to.equal(429);
    // A lost attempt is pending again.
    await service.engine.dispatch(second, { type: 'CANCEL' });
    await service.engine.dispatch(first, { type: 'INTERRUPT', attempt: 1, code: 'stalled', message: 'no frame came' });
    expect((await submit(ONE)).status).to.equal(429);
    await service.engine.dispatch(first, { type: 'CANCEL' });
    expect((await submit(ONE)).status).to.equal(202);
  });

  it('is not used up by a repeated submission', async () => {
    await opened({ keys: KEYS, maxPending: 4 });
    for (let n = 0; n < 5; n += 1) expect((await submit(ONE, { 'Idempotency-Key': 'same' })).status).to.equal(202);
    expect((await submit(ONE)).status).to.equal(202);
    expect((await submit(ONE)).status).to.equal(429);
  });

  it('of uploads leaves capacity for another, and is freed when one ends', async () => {
    await opened({ keys: KEYS, maxUploads: 4 });
    const body = multipart([{ head: FILE_HEAD, body: VIDEO }]);
    const held = await Promise.all(
      [1, 2].map(async () => {
        const sent = request({
          port: service.port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/video/submit?pipeline_id=ocr_only',
          headers: { ...MULTIPART, 'content-length': body.length, 'x-api-key': ONE },
        });
        const arrived = once(service.server, 'request');
        sent.write(body.subarray(0, -20));
        await arrived;
        return sent;
      }),
    );
    while ((await submit(ONE)).status !== 429) await new Promise((resolve) => setImmediate(resolve));
    expect((await submit(TWO)).status).to.equal(202);
    for (const sent of held) {
      const answered = once(sent, 'response');
      sent.end(body.subarray(-20));
      const [response] = await answered;
      response.resume();
      expect(response.statusCode).to.equal(202);
    }
    expect((await submit(ONE)).status).to.equal(202);
  });

  it('is that of an address with a single key and without keys, also on loopback', async () => {
    for (const settings of [{ keys: KEYS.slice(0, 1) }, {}, { isPrivate: false }]) {
      await opened({ ...settings, maxPending: 2 });
      expect([(await submit(ONE)).status, (await submit(ONE)).status]).to.deep.equal([202, 429]);
      expect((await submitFrom('127.0.0.2')).status).to.equal(202);
      await service.close();
    }
    await opened({});
  });
});
