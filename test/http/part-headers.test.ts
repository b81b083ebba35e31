import { expect } from 'chai';
import { PartHeaderGuard } from '../../src/http/part-headers.ts';

describe('the guard of part headers', () => {
  const long = 'x'.repeat(5000);
  const bodies: Readonly<Record<string, readonly [body: string, accepted: boolean]>> = {
    'ordinary parts': ['--b\r\nA: 1\r\n\r\ndata\r\n--b\r\nB: 2\r\n\r\ndata\r\n--b--\r\n', true],
    'a part without headers': ['--b\r\n\r\ndata\r\n--b--\r\n', true],
    'long data': [`--b\r\nA: 1\r\n\r\n${long}\r\n--b--\r\n`, true],
    'the boundary within the data': [`--b\r\nA: 1\r\n\r\nx--b\r\n\r\n--bc${long}\r\n--b--\r\n`, true],
    'long text after the end': [`--b\r\nA: 1\r\n\r\ndata\r\n--b--\r\n${long}`, true],
    'a header of 4000 bytes': [`--b\r\nA: ${'x'.repeat(4000)}\r\n\r\ndata\r\n--b--\r\n`, true],
    'a long header': [`--b\r\nA: ${long}\r\n\r\ndata\r\n--b--\r\n`, false],
    'a long header that never ends': [`--b\r\nA: ${long}`, false],
    'a long header of the second part': [`--b\r\nA: 1\r\n\r\ndata\r\n--b\r\nA: ${long}`, false],
    'a long header after a header without a colon': [`--b\r\nA\r\ndata\r\n--b\r\nA: ${long}`, false],
    'a long header after an empty part': [`--b\r\nA: 1\r\n\r\n--b\r\nA: ${long}`, false],
    'many headers': [`--b\r\n${'A: 1\r\n'.repeat(1000)}\r\ndata\r\n--b--\r\n`, false],
    'text before the first boundary': ['text\r\n--b\r\nA: 1\r\n\r\ndata\r\n--b--\r\n', false],
    'another boundary': ['--c\r\nA: 1\r\n\r\ndata\r\n--c--\r\n', false],
  };
  for (const [name, [body, accepted]] of Object.entries(bodies)) {
    it(`${accepted ? 'accepts' : 'refuses'} ${name}, however the body is cut into chunks`, () => {
      for (const size of [1, 2, 3, 5, 7, 64, 1000, body.length]) {
        const guard = PartHeaderGuard.for('multipart/form-data; boundary=b');
        let verdict = true;
        for (let at = 0; at < body.length; at += size) {
          verdict &&= guard?.accepts(Buffer.from(body.slice(at, at + size))) === true;
        }
        expect(verdict, `chunks of ${size}`).to.equal(accepted);
      }
    });
  }

  it('needs a boundary of the length that the standard allows', () => {
    expect(PartHeaderGuard.for('multipart/form-data')).to.equal(undefined);
    expect(PartHeaderGuard.for(`multipart/form-data; boundary=${'b'.repeat(71)}`)).to.equal(undefined);
    expect(PartHeaderGuard.for(`multipart/form-data; boundary="${'b'.repeat(70)}"`)).to.be.instanceOf(PartHeaderGuard);
  });
});
