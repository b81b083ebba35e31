import { expect } from 'chai';
import { array, assert, constant, constantFrom, integer, property, record, type Arbitrary } from 'fast-check';
import { MultipartParser } from '../../src/http/uploads/multipart-parser.ts';
import { PieceBudget } from '../../src/http/uploads/piece-budget.ts';
import { PieceGatherer } from '../../src/http/uploads/piece-gatherer.ts';

interface Part {
  readonly headers: string;
  readonly data: string;
}

/** Parses a body in chunks of the given sizes, cyclically. @returns its parts, and the number of data events */
function parse(boundary: string, body: Buffer, sizes: readonly number[]) {
  const parts: Part[] = [];
  let headers = '';
  let data: Buffer[] = [];
  let events = 0;
  const parser = new MultipartParser(boundary, {
    onPart: (text) => {
      headers = text;
      data = [];
    },
    onData: (bytes) => {
      events += 1;
      data.push(bytes);
    },
    onPartEnd: () => parts.push({ headers, data: Buffer.concat(data).toString('latin1') }),
  });
  for (let at = 0, n = 0; at < body.length; n += 1) {
    const size = sizes[n % sizes.length] ?? body.length;
    parser.push(body.subarray(at, at + size));
    at += size;
  }
  parser.end();
  return { parts, events };
}

describe('the multipart parser', () => {
  /** Text of the characters of boundaries: the hardest input. */
  const text = (boundary: string): Arbitrary<string> =>
    array(constantFrom('\r', '\n', '\r\n', '-', '--', '\r\n--', `\r\n--${boundary}`, boundary, ' ', 'x', '\0'), {
      maxLength: 40,
    })
      .map((pieces) => pieces.join(''))
      // A boundary that ends its line would be a real one.
      .filter(
        (data) =>
          !new RegExp(`\\r\\n--${boundary}(--|[ \\t]*(\\r|$)|-$)`).test(
            `\r\n${data}\r\n--${boundary}`.slice(0, -boundary.length - 4),
          ),
      );

  it('finds the same parts for every split into chunks', () => {
    assert(
      property(
        constantFrom('b', 'bb', '--b', 'x'.repeat(70)).chain((boundary) =>
          record({
            boundary: constant(boundary),
            parts: array(record({ headers: constantFrom('', 'A: 1', 'A: 1\r\nB: 2'), data: text(boundary) }), {
              minLength: 1,
              maxLength: 5,
            }),
            padding: constantFrom('', ' ', '\t  '),
            preamble: constantFrom('', '\r\n', 'text\r\n', '--\r\n'),
            epilogue: constantFrom('', '\r\n', '\r\nmore', `\r\n--${boundary}\r\n`),
          }),
        ),
        array(integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        ({ boundary, parts, padding, preamble, epilogue }, sizes) => {
          const lines = parts.map(
            ({ headers, data }) =>
              `--${boundary}${padding}\r\n${headers === '' ? '' : `${headers}\r\n`}\r\n${data}\r\n`,
          );
          const body = Buffer.from(`${preamble}${lines.join('')}--${boundary}--${epilogue}`, 'latin1');
          expect(parse(boundary, body, sizes).parts).to.deep.equal(parts);
          expect(parse(boundary, body, [body.length]).parts).to.deep.equal(parts);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('accepts any bytes without an internal error, and buffers at most a header', () => {
    assert(
      property(
        array(constantFrom('\r\n--b', '--', '\r', '\n', '\r\n\r\n', 'A: 1', ' ', '\0', 'b'), { maxLength: 200 }),
        integer({ min: 1, max: 50 }),
        (pieces, size) => {
          try {
            parse('b', Buffer.from(pieces.join('')), [size]);
          } catch (error) {
            expect(error).to.include({ name: 'ServiceError', code: 'invalid_request' });
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  for (const [name, unit] of Object.entries({
    zeros: '\0',
    'carriage returns': '\r',
    'line feeds': '\n',
    'line ends': '\r\n',
    'half boundaries': '\r\n--',
    'boundaries but for their last character': `\r\n--${'b'.repeat(39)}c`,
    'boundaries that do not end their line': `\r\n--${'b'.repeat(40)}c`,
  })) {
    it(`emits at most two events for a chunk of ${name}`, () => {
      const boundary = 'b'.repeat(40);
      const chunks = 32;
      const body = Buffer.concat([
        Buffer.from(`--${boundary}\r\n\r\n`),
        Buffer.alloc(chunks * 65_536, unit),
        Buffer.from(`\r\n--${boundary}--`),
      ]);
      expect(parse(boundary, body, [65_536]).events).to.be.within(chunks, 2 * chunks + 2);
    });
  }

  it('rejects part headers beyond 4 KiB, complete or not', () => {
    for (const headers of [`A: ${'x'.repeat(5_000)}\r\n\r\n`, `A: ${'x'.repeat(5_000)}`, 'A: 1\r\n'.repeat(1_000)]) {
      for (const size of [1, 64, 10_000]) {
        expect(() => parse('b', Buffer.from(`--b\r\n${headers}`), [size])).to.throw('exceed 4096 bytes');
      }
    }
  });
});

describe('the gatherer of small pieces', () => {
  const gather = async (pieces: readonly Buffer[]) => {
    const got: Buffer[] = [];
    const gatherer = new PieceGatherer((bytes) => got.push(bytes));
    for (const piece of pieces) gatherer.push(piece);
    await new Promise((resolve) => setImmediate(resolve));
    return got;
  };

  it('passes on the pieces of one turn of the event loop at once and in order', async () => {
    const ones = Array.from({ length: 10_000 }, (_, n) => Buffer.from([n % 251]));
    const got = await gather(ones);
    expect(got).to.have.length(1);
    expect(got[0]).to.deep.equal(Buffer.concat(ones));
  });

  it('passes large pieces on unchanged, after the small ones before them', async () => {
    const large = Buffer.alloc(100_000, 'l');
    const got = await gather([Buffer.from('a'), large, Buffer.from('b'), Buffer.from('c')]);
    expect(got.map((bytes) => bytes.length)).to.deep.equal([1, 100_000, 2]);
    expect(got[1]).to.equal(large);
  });

  it('never writes to bytes that it has passed on', async () => {
    const pieces = Array.from({ length: 300 }, (_, n) => Buffer.alloc(1_000, n));
    expect(Buffer.concat(await gather(pieces))).to.deep.equal(Buffer.concat(pieces));
  });
});

it('a body may have 4,096 pieces of any size, and one more per 256 bytes', () => {
  const taken = (size: number): number => {
    const budget = new PieceBudget();
    let pieces = 0;
    while (pieces < 1_000_000 && budget.take(size)) pieces += 1;
    return pieces;
  };
  expect(taken(1)).to.be.within(4_096, 4_200);
  expect(taken(256)).to.equal(1_000_000);
});
