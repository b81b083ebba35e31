import { expect } from 'chai';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { TokenBuckets } from '../../src/http/middleware/token-buckets.ts';
import {
  FILE_HEAD,
  form,
  MULTIPART,
  multipart,
  NOTHING,
  openService,
  problemOf,
  VIDEO,
  type ServiceSettings,
  type ServiceUnderTest,
} from './service-under-test.ts';

describe('limits', () => {
  let service: ServiceUnderTest;
  const opened = async (settings: ServiceSettings): Promise<void> => {
    service = await openService(settings);
  };
  afterEach(() => service.close());

  const BODY = multipart([
    { head: 'Content-Disposition: form-data; name="pipeline_id"', body: 'ocr_only' },
    { head: FILE_HEAD, body: Buffer.concat([VIDEO, Buffer.alloc(4_000)]) },
  ]);

  /** Sends the body in pieces; resolves with the status of the response, whenever it arrives. */
  const trickle = async (pieceBytes: number, everyMs: number): Promise<number> => {
    const headers = { ...MULTIPART, 'content-length': BODY.length };
    const sent = request({ port: service.port, host: '127.0.0.1', method: 'POST', path: '/video/submit', headers });
    sent.on('error', () => undefined);
    const answered = once(sent, 'response');
    let at = 0;
    const timer = setInterval(() => {
      if (at >= BODY.length) sent.end();
      else sent.write(BODY.subarray(at, at + pieceBytes));
      at += pieceBytes;
    }, everyMs);
    try {
      const [response] = await answered;
      response.resume();
      return response.statusCode;
    } finally {
      clearInterval(timer);
      sent.destroy();
    }
  };

  it('abort an upload below the minimum rate, and keep nothing of it', async () => {
    await opened({ minUploadBytesPerS: 1_000, uploadWindowMs: 200 });
    expect(await trickle(1, 20)).to.equal(408);
    await until(async () => (await service.files()).length === 0);
    expect(await service.traces()).to.deep.equal(NOTHING);
  });

  it('allow a long upload while it makes progress', async () => {
    await opened({ minUploadBytesPerS: 10, uploadWindowMs: 1_000 });
    // Some three windows, each with a thousand bytes.
    expect(await trickle(400, 250)).to.equal(202);
  });

  it('abort an upload that exceeds the time for its length or the maximum time', async () => {
    await opened({ uploadTimeoutMs: 200 });
    expect(await trickle(1, 10)).to.equal(408);
    await service.close();
    // Some 4,200 bytes at 100,000 a second, and twice a window: 142 ms.
    await opened({ minUploadBytesPerS: 100_000, uploadWindowMs: 50 });
    expect(await trickle(1, 10)).to.equal(408);
    await until(async () => (await service.files()).length === 0);
  });

  it('limit concurrent uploads, and accept others when one has ended', async () => {
    await opened({ maxUploads: 2 });
    const headers = { ...MULTIPART, 'content-length': BODY.length };
    const open = async () => {
      const sent = request({ port: service.port, host: '127.0.0.1', method: 'POST', path: '/video/submit', headers });
      sent.on('error', () => undefined);
      const before = (await service.files()).length;
      sent.write(BODY.subarray(0, 300));
      await until(async () => (await service.files()).length > before);
      return sent;
    };
    const [first, second] = [await open(), await open()];
    const submit = () =>
      fetch(`${service.url}/video/submit`, { method: 'POST', body: form({ pipeline_id: 'ocr_only' }, VIDEO) });
    const refused = await submit();
    expect(refused.headers.get('retry-after')).to.match(/^\d+$/);
    expect(await problemOf(refused)).to.include({ status: 503, code: 'too_many_uploads' });
    const answered = once(first, 'response');
    first.end(BODY.subarray(300));
    const [response] = await answered;
    response.resume();
    expect(response.statusCode).to.equal(202);
    second.destroy();
    await until(async () => (await submit()).status === 202);
  });

  it('respond with 429 and the time to wait to a client with too many requests', async () => {
    await opened({ requestsPerS: 5 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => fetch(`${service.url}/pipelines`)));
    const limited = answers.filter(({ status }) => status === 429);
    expect(answers.length - limited.length).to.be.within(10, 20);
    for (const answer of limited) expect(answer.headers.get('retry-after')).to.equal('1');
    expect(await problemOf(limited[0] ?? expect.fail())).to.include({ code: 'too_many_requests' });
    for (const answer of answers) if (!answer.bodyUsed) await answer.arrayBuffer();
  });

  it('hold for a page of jobs', async () => {
    await opened({});
    for (const [query, detail] of [
      ['limit=0', 'limit must be at least 1'],
      ['limit=201', 'limit must be at most 200'],
      ['limit=-1', 'limit must be a whole number'],
      ['limit=1e2', 'limit must be a whole number'],
      ['limit=0x10', 'limit must be a whole number'],
      ['limit=%205', 'limit must be a whole number'],
      ['limit=5&limit=6', 'limit is given twice with different values'],
      ['status=done', 'status must be one of pending, running, completed, failed'],
      ['cursor=x', 'cursor is not a next_cursor'],
      ['limit=0&status=done', 'status must be one of pending, running, completed, failed; limit must be at least 1'],
    ]) {
      const problem = await problemOf(await fetch(`${service.url}/video/jobs?${query}`));
      expect(problem).to.include({ status: 422, code: 'invalid_request', detail });
    }
    for (const query of ['limit=', 'limit=5&limit=5', 'status=&cursor=', 'unknown=1']) {
      expect((await fetch(`${service.url}/video/jobs?${query}`)).status, query).to.equal(200);
    }
  });

  it('allow hundreds of idle connections while the service responds', async () => {
    await opened({});
    const idle = Array.from({ length: 300 }, () => connect(service.port, '127.0.0.1'));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    for (const socket of idle) socket.write('GET /health HTTP/1.1\r\nX-Slow: ');
    expect((await fetch(`${service.url}/health`)).status).to.equal(200);
    for (const socket of idle) socket.destroy();
  });
});

describe('a token bucket', () => {
  let nowMs = 0;
  const now = () => nowMs;

  it('grants its burst at once, then its rate', () => {
    const buckets = new TokenBuckets({ perSecond: 2, burst: 3, now });
    expect([1, 2, 3, 4].map(() => buckets.take('a'))).to.deep.equal([0, 0, 0, 1]);
    nowMs += 500;
    expect([1, 2].map(() => buckets.take('a'))).to.deep.equal([0, 1]);
  });

  it('returns the exact time to wait', () => {
    const buckets = new TokenBuckets({ perSecond: 0.1, burst: 1, now });
    buckets.take('a');
    expect(buckets.take('a')).to.equal(10);
    nowMs += 9_999;
    expect(buckets.take('a')).to.equal(1);
    nowMs += 1_000;
    expect(buckets.take('a')).to.equal(0);
  });

  it('is separate for each name and never exceeds its burst', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1, now });
    expect([buckets.take('a'), buckets.take('b'), buckets.take('a')]).to.deep.equal([0, 0, 1]);
    nowMs += 1_000_000;
    expect([buckets.take('a'), buckets.take('a')]).to.deep.equal([0, 1]);
  });
});

/** Polls on every turn of the event loop, limited by the timeout of the test. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
