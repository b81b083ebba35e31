import { expect } from 'chai';
import { checkedProblem, openService, sendRaw, type ServiceUnderTest } from './service-under-test.ts';

/** Node.js would answer some of these itself without a body. */
describe('the head of a request', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService();
  });
  after(() => service.close());

  /** The problem document of the response, whose status must match. */
  const problem = async (...lines: string[]) => {
    const text = await sendRaw(service.port, [`${lines.join('\r\n')}\r\n\r\n`], { end: true });
    const [head = '', body = ''] = text.split('\r\n\r\n');
    const [, status] = /^HTTP\/1\.1 (\d+) /.exec(head) ?? [];
    const [, type] = /^content-type: *(.*)$/im.exec(head) ?? [];
    const document = checkedProblem(type, body);
    expect(status).to.equal(String(document.status));
    expect(head.toLowerCase()).to.contain(`x-request-id: ${document.request_id}`);
    return document;
  };
  const CLOSE = 'Connection: close';

  it('must have one Host in HTTP/1.1, and need not in HTTP/1.0', async () => {
    for (const hosts of [[], ['Host: localhost', 'Host: localhost'], ['Host: localhost', 'host: evil.example']]) {
      expect(await problem('GET /health HTTP/1.1', ...hosts, CLOSE)).to.include({
        status: 400,
        code: 'malformed_request',
      });
    }
    expect(await sendRaw(service.port, ['GET /health HTTP/1.0\r\n\r\n'])).to.match(/^HTTP\/1\.1 200 /);
  });

  it('may expect only 100-continue', async () => {
    for (const method of ['GET /health', 'POST /video/submit']) {
      const answer = await problem(`${method} HTTP/1.1`, 'Host: localhost', 'Expect: gift', CLOSE);
      expect(answer).to.include({ status: 417, code: 'expectation_failed' });
    }
    const ignored = await sendRaw(service.port, ['GET /health HTTP/1.0\r\nExpect: gift\r\n\r\n']);
    expect(ignored).to.match(/^HTTP\/1\.1 200 /);
  });

  it('may not ask for a tunnel', async () => {
    const answer = await problem('CONNECT evil.example:443 HTTP/1.1', 'Host: evil.example:443');
    expect(answer).to.include({ status: 405, code: 'method_not_allowed' });
  });

  it('must be HTTP', async () => {
    expect(await problem('nonsense')).to.include({ status: 400, code: 'malformed_request' });
    expect(await problem(`GET /${'x'.repeat(20_000)} HTTP/1.1`, 'Host: localhost')).to.include({ status: 431 });
  });
});
