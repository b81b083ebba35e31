import { expect } from 'chai';
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { v7 as uuidv7 } from 'uuid';
import { FILE_HEAD, MULTIPART, multipart, NOTHING, openService, send, sendRaw, VIDEO } from './service-under-test.ts';
import type { ServiceUnderTest } from './service-under-test.ts';

/**
 * Tested elsewhere: names, fields, boundaries, truncation (submit.test.ts), ids (routes.test.ts), keys and origins
 * (access.test.ts).
 */
describe('abuse is rejected and leaves nothing:', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService();
  });
  after(() => service.close());
  afterEach(async () => {
    await until(async () => (await service.files()).length === 0);
    expect(await service.traces()).to.deep.equal(NOTHING);
  });

  const BODY = multipart([
    { head: 'Content-Disposition: form-data; name="pipeline_id"', body: 'ocr_only' },
    { head: FILE_HEAD, body: VIDEO },
  ]);
  const head = (...lines: string[]): string =>
    ['POST /video/submit HTTP/1.1', 'Host: localhost', `Content-Type: ${MULTIPART['content-type']}`, ...lines].join(
      '\r\n',
    ) + '\r\n\r\n';

  it('a Content-Length that is too small', async () => {
    const answer = await sendRaw(service.port, [
      head(`Content-Length: ${BODY.length - 20}`, 'Connection: close'),
      BODY,
    ]);
    expect(answer).to.match(/^HTTP\/1.1 4\d\d /);
  });

  it('a Content-Length that is too large, from a client that then disconnects', async () => {
    const socket = connect(service.port, '127.0.0.1');
    socket.write(head(`Content-Length: ${BODY.length + 50}`));
    socket.write(BODY.subarray(0, -30));
    await until(async () => (await service.files()).length === 1);
    socket.destroy();
  });

  it('a body with two lengths, of which a proxy might use the other one', async () => {
    for (const lines of [
      ['Content-Length: 10', 'Transfer-Encoding: chunked'],
      ['Content-Length: 10', 'Content-Length: 20'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: xchunked'],
      ['Content-Length: -1'],
      ['Content-Length: 0x10'],
    ]) {
      const answer = await sendRaw(service.port, [head(...lines), '0\r\n\r\n']);
      expect(answer, lines.join()).to.match(/^HTTP\/1.1 400 /);
    }
  });

  it('a compressed body, or one declared as compressed', async () => {
    const squeezed = [
      ['gzip', gzipSync(BODY)],
      ['deflate', deflateSync(BODY)],
      ['br', brotliCompressSync(BODY)],
      ['gzip', BODY],
      ['identity, gzip', BODY],
      ['x-unheard-of', BODY],
    ] as const;
    for (const [encoding, body] of squeezed) {
      const headers = { ...MULTIPART, 'content-encoding': encoding };
      const { status, text } = await send(service.port, { path: '/video/submit', headers }, [body]);
      expect(status, encoding).to.equal(422);
      expect(text).to.contain('compressed');
    }
    const answer = await sendRaw(service.port, [
      head('Transfer-Encoding: gzip, chunked', 'Connection: close'),
      '0\r\n\r\n',
    ]);
    expect(answer).to.match(/^HTTP\/1.1 4\d\d /);
  });

  it('a field given twice with different values', async () => {
    for (const [name, first, second] of [
      ['pipeline_id', 'ocr_only', 'yolo_ocr'],
      ['frame_stride', '1', '2'],
      ['max_frames', '1', '__proto__'],
    ] as const) {
      const field = (body: string) => ({ head: `Content-Disposition: form-data; name="${name}"`, body });
      for (const parts of [
        [field(first), field(second), { head: FILE_HEAD, body: VIDEO }],
        [field(first), { head: FILE_HEAD, body: VIDEO }, field(second)],
      ]) {
        const { status, text } = await send(service.port, { path: '/video/submit', headers: MULTIPART }, [
          multipart(parts),
        ]);
        expect(status, name).to.equal(422);
        expect(text).to.contain(`${name} is given twice`);
      }
    }
  });

  it('null bytes and look-alikes in values', async () => {
    const values = [
      ['pipeline_id', 'ocr_only\0', 404],
      ['pipeline_id', '\0', 404],
      ['pipeline_id', '\u043Ecr_only', 404],
      ['pipeline_id', 'ocr_only\u200B', 404],
      ['pipeline_id', '\uFEFFocr_only', 404],
      ['frame_stride', '1\0', 422],
      ['frame_stride', '\u0661', 422],
      ['max_frames', '\uFF11', 422],
    ] as const;
    for (const [name, value, expected] of values) {
      const fields = { pipeline_id: 'ocr_only', [name]: value };
      const inForm = multipart([
        ...Object.entries(fields).map(([field, body]) => ({
          head: `Content-Disposition: form-data; name="${field}"`,
          body,
        })),
        { head: FILE_HEAD, body: VIDEO },
      ]);
      const inQuery = `?${new URLSearchParams(fields).toString()}`;
      for (const [query, body] of [
        ['', inForm],
        [inQuery, multipart([{ head: FILE_HEAD, body: VIDEO }])],
      ] as const) {
        const path = `/video/submit${query}`;
        expect((await send(service.port, { path, headers: MULTIPART }, [body])).status, path).to.equal(expected);
      }
    }
  });

  it('a flood of headers, in the request and in a part', async () => {
    const many = Array.from({ length: 2_000 }, (_, n) => `X-${n}: ${'x'.repeat(20)}`);
    expect(await sendRaw(service.port, [head(...many)])).to.match(/^HTTP\/1.1 431 /);
    const body = multipart([{ head: `${FILE_HEAD}\r\n${many.join('\r\n')}`, body: VIDEO }]);
    const { status } = await send(service.port, { path: '/video/submit?pipeline_id=ocr_only', headers: MULTIPART }, [
      body,
    ]);
    expect(status).to.equal(422);
  });

  it('a flood of parts', async () => {
    const field = { head: 'Content-Disposition: form-data; name="x"', body: '' };
    const body = multipart(Array.from({ length: 1_000 }, () => field));
    const { status } = await send(service.port, { path: '/video/submit?pipeline_id=ocr_only', headers: MULTIPART }, [
      body,
    ]);
    expect(status).to.equal(422);
  });

  it('a method in a header or in the query', async () => {
    for (const [path, headers] of [
      ['/video/submit', { 'x-http-method-override': 'POST' }],
      ['/video/submit?_method=POST', {}],
      [`/video/cancel/${uuidv7()}`, { 'x-method-override': 'POST' }],
    ] as const) {
      expect((await send(service.port, { path, headers, method: 'GET' })).status).to.equal(405);
    }
  });

  it('tricks in the path', async () => {
    for (const path of [
      '/video/status/..%2f..%2fjobs.duckdb',
      '/video/source/%2e%2e/%2e%2e/etc/passwd',
      `/video/results/${uuidv7()}%00.json`,
      `/video/results/${uuidv7()}/../../jobs`,
      `//video/status/${uuidv7()}`,
      `/video/status/\\..\\${uuidv7()}`,
      `/video/status/${'%F0%9F%98%80'.repeat(50)}`,
      `/video/status/${'a'.repeat(14_000)}`,
    ]) {
      const { status } = await send(service.port, { path, method: 'GET' });
      expect(status, path).to.equal(404);
    }
  });

  it('names that are members of every object', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const body = multipart([
        { head: `Content-Disposition: form-data; name="${name}"`, body: '1' },
        { head: FILE_HEAD, body: VIDEO },
      ]);
      const path = `/video/submit?${name}=1&pipeline_id=${name}`;
      expect((await send(service.port, { path, headers: MULTIPART }, [body])).status).to.equal(404);
      expect((await send(service.port, { path: `/machines/${name}`, method: 'GET' })).status).to.equal(404);
      expect((await send(service.port, { path: `/web/${name}`, method: 'GET' })).status).to.equal(404);
    }
  });

  it('one connection with many pipelined requests gets every response, in order', async () => {
    const asked = Array.from(
      { length: 50 },
      (_, n) => `GET /nothing HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r${n}\r\n`,
    );
    const socket = connect(service.port, '127.0.0.1');
    socket.end(
      `${asked
        .slice(0, -1)
        .map((one) => `${one}\r\n`)
        .join('')}${asked.at(-1)}Connection: close\r\n\r\n`,
    );
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
    const ids = [...text.matchAll(/^X-Request-Id: (r\d+)\r$/gm)].map(([, id]) => id);
    expect(ids).to.deep.equal(asked.map((_, n) => `r${n}`));
  });
});

/** Polls on every turn of the event loop, limited by the timeout of the test. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
