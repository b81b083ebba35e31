import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import { checkedProblem, openService, send, sendRaw, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

/** Forms as real clients send them: RFC 2046, RFC 7578 and the variants of browsers and libraries. */
describe('multipart forms', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService({ requestsPerS: 10_000 });
  });
  after(() => service.close());

  const BOUNDARY = '----x123';
  const CONTENT = Buffer.concat([
    VIDEO,
    Buffer.from(`\r\n--${BOUNDARY.slice(0, -1)}Z\r\n--${BOUNDARY}-\r\n\r\r\n--\r\n`),
  ]);

  const part = (disposition: string, type: string, body: string | Buffer, more = ''): Buffer =>
    Buffer.concat([
      Buffer.from(
        `Content-Disposition: ${disposition}\r\n${type === '' ? '' : `Content-Type: ${type}\r\n`}${more}\r\n`,
      ),
      Buffer.from(body),
    ]);
  const FILE = part('form-data; name="file"; filename="a.mp4"', 'video/mp4', CONTENT);
  const PIPELINE = part('form-data; name="pipeline_id"', '', 'ocr_only');

  interface Layout {
    readonly boundary?: string;
    readonly before?: string;
    readonly after?: string;
    readonly padding?: string;
  }
  const body = (parts: readonly Buffer[], layout: Layout = {}): Buffer => {
    const { boundary = BOUNDARY, before = '', after = '\r\n', padding = '' } = layout;
    return Buffer.concat([
      Buffer.from(before),
      ...parts.flatMap((one, n) => [Buffer.from(`${n === 0 ? '' : '\r\n'}--${boundary}${padding}\r\n`), one]),
      Buffer.from(`\r\n--${boundary}--${after}`),
    ]);
  };
  const file = (disposition: string, type = 'video/mp4', more = ''): Buffer[] => [
    part(disposition, type, CONTENT, more),
    PIPELINE,
  ];
  const plain = `multipart/form-data; boundary=${BOUNDARY}`;
  const MIME = 'gc0p4Jq0M:2Yt08jU534c0p=? x';

  const accepted: Readonly<Record<string, readonly [bytes: Buffer, contentType?: string]>> = {
    'the file first': [body([FILE, PIPELINE])],
    'the field first': [body([PIPELINE, FILE])],
    'a quoted boundary': [body([FILE, PIPELINE]), `multipart/form-data; boundary="${BOUNDARY}"`],
    'a boundary of special characters': [
      body([FILE, PIPELINE], { boundary: MIME }),
      `multipart/form-data; boundary="${MIME}"`,
    ],
    'a boundary before another parameter': [body([FILE, PIPELINE]), `${plain}; charset=utf-8`],
    'a boundary after another parameter': [
      body([FILE, PIPELINE]),
      `multipart/form-data; charset="utf-8; boundary=no"; Boundary=${BOUNDARY}`,
    ],
    'white space around the boundary parameter': [
      body([FILE, PIPELINE]),
      `multipart/form-data ; boundary = ${BOUNDARY} ; charset=utf-8`,
    ],
    'a preamble': [body([FILE, PIPELINE], { before: 'This is a message in MIME format.\r\n' })],
    'a preamble that looks like a boundary': [body([FILE, PIPELINE], { before: `--${BOUNDARY}x\r\n--\r\n` })],
    'an empty line first': [body([FILE, PIPELINE], { before: '\r\n' })],
    'two empty lines first': [body([FILE, PIPELINE], { before: '\r\n\r\n' })],
    'an epilogue': [body([FILE, PIPELINE], { after: '\r\nThe end.\r\n' })],
    'no line end after the last boundary': [body([FILE, PIPELINE], { after: '' })],
    'white space after the boundaries': [body([FILE, PIPELINE], { padding: ' \t ', after: '  \r\n' })],
    'a file name in the extended notation alone': [
      body(file('form-data; name="file"; filename*=UTF-8\'\'na%C3%AFve.mp4', '')),
    ],
    'a file name in both notations': [
      body(file('form-data; name="file"; filename="x.mp4"; filename*=UTF-8\'\'na%C3%AFve.mp4')),
    ],
    'an empty file name with content': [body(file('form-data; name="file"; filename=""'))],
    'no file name, but a type': [body(file('form-data; name="file"'))],
    'names without quotes': [body(file('form-data; name=file; filename=a.mp4'))],
    'a file name before the name': [body(file('form-data; filename="a.mp4"; name="file"'))],
    'a file name that contains name=': [body(file('form-data; filename="name=foo.mp4"; name="file"'))],
    'a file name that contains a whole parameter': [body(file('form-data; filename="x; name=other"; name="file"'))],
    'a file name that ends in a backslash': [body(file('form-data; name="file"; filename="a\\"'))],
    'a file name with an escaped quote': [body(file('form-data; name="file"; filename="a\\"b; name=c.mp4"'))],
    'a file name with other characters': [body(file('form-data; name="file"; filename="видео \u2028 🎬;=.mp4"'))],
    'headers in another order and in small letters': [
      body([
        Buffer.concat([
          Buffer.from('content-type:video/mp4\r\ncontent-disposition:form-data;name="file";filename="a.mp4"\r\n\r\n'),
          CONTENT,
        ]),
        PIPELINE,
      ]),
    ],
    'a header of two lines': [body(file('form-data;\r\n name="file";\r\n\tfilename="a.mp4"'))],
    'fields with a type': [
      body([FILE, part('form-data; name="pipeline_id"', 'text/plain; charset=utf-8', 'ocr_only')]),
    ],
    'parts with an encoding and a length': [
      body(
        file(
          'form-data; name="file"; filename="a.mp4"',
          'video/mp4',
          `Content-Transfer-Encoding: BINARY\r\nContent-Length: ${CONTENT.length}\r\n`,
        ),
      ),
    ],
    'a file in base64': [
      body([
        part(
          'form-data; name="file"; filename="a.mp4"',
          '',
          CONTENT.toString('base64').replaceAll(/.{20}/g, '$&\r\n'),
          'Content-Transfer-Encoding: base64\r\n',
        ),
        PIPELINE,
      ]),
    ],
    'a second file input that was left empty': [
      body([FILE, PIPELINE, part('form-data; name="file"; filename=""', 'application/octet-stream', '')]),
    ],
    'a first file input that was left empty': [
      body([part('form-data; name="file"; filename=""', 'application/octet-stream', ''), FILE, PIPELINE]),
    ],
    'another file input that was left empty': [
      body([part('form-data; name="subtitles"; filename=""', 'application/octet-stream', ''), FILE, PIPELINE]),
    ],
    'optional fields that were left empty': [
      body([
        FILE,
        PIPELINE,
        part('form-data; name="max_frames"', '', ''),
        part('form-data; name="frame_stride"', '', ''),
      ]),
    ],
    'a part without headers, and one without a name': [
      body([Buffer.from('\r\nnothing'), part('form-data', '', 'nothing'), FILE, PIPELINE]),
    ],
    'a field that ends with its headers': [
      Buffer.concat([
        Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="max_frames"\r\n`),
        body([FILE, PIPELINE], { before: '\r\n' }),
      ]),
    ],
  };
  for (const [name, [bytes, contentType = plain]] of Object.entries(accepted)) {
    it(`are accepted with ${name}`, async () => {
      for (const size of [1, 7, bytes.length]) {
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
          bytes.subarray(n * size, (n + 1) * size),
        );
        const headers = { 'content-type': contentType, 'transfer-encoding': 'chunked' };
        const { status, text } = await send(service.port, { path: '/video/submit', headers }, pieces);
        expect(status, text).to.equal(202);
        const { job_id: jobId } = submitResponseSchema.parse(JSON.parse(text));
        expect(await readFile(await service.storage.loadFile(`${jobId}.mp4`))).to.deep.equal(CONTENT);
      }
    });
  }

  const whole = body([FILE, PIPELINE]);
  const refused: Readonly<Record<string, readonly [bytes: Buffer, says: string]>> = {
    'a body that is cut off before its last boundary': [whole.subarray(0, -12), 'cut off'],
    'a body that is cut off within the headers of a part': [whole.subarray(0, 30), 'cut off'],
    'lines that end in LF alone': [
      Buffer.from(whole.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
      'No line of the body is the boundary',
    ],
    'another boundary': [body([FILE, PIPELINE], { boundary: 'other' }), 'No line of the body is the boundary'],
    'a file under another name': [
      body([PIPELINE, part('form-data; name="video"; filename="a.mp4"', '', CONTENT)]),
      'must be in the field `file`',
    ],
    'a file without a name and with content': [
      body([PIPELINE, part('form-data; filename=""', '', CONTENT)]),
      'must be in the field `file`',
    ],
    'two files': [body([FILE, PIPELINE, FILE]), 'More than one file'],
    'only empty file inputs': [
      body([PIPELINE, part('form-data; name="file"; filename=""', 'application/octet-stream', '')]),
      'no field `file`',
    ],
    'a file in quoted-printable': [
      body(file('form-data; name="file"; filename="a"', '', 'Content-Transfer-Encoding: quoted-printable\r\n')),
      'Content-Transfer-Encoding',
    ],
    'a line without a colon among the headers of a part': [
      body([Buffer.from('Content-Disposition\r\n\r\n'), FILE]),
      'no colon',
    ],
    'a long preamble': [body([FILE, PIPELINE], { before: 'x'.repeat(100_000) }), 'in addition to the file'],
  };
  for (const [name, [bytes, says]] of Object.entries(refused)) {
    it(`are rejected with ${name}, with the reason`, async () => {
      const { files } = await service.traces();
      const headers = { 'content-type': plain };
      const answer = await send(service.port, { path: '/video/submit', headers }, [bytes]);
      const problem = checkedProblem(answer.headers['content-type'], answer.text);
      expect(problem.status).to.equal(422);
      expect(problem.detail).to.contain(says);
      expect((await service.traces()).files).to.have.members(files);
    });
  }

  it('are rejected if the client closes its half of the connection before the end of the body', async () => {
    const { files } = await service.traces();
    const answer = await sendRaw(
      service.port,
      [
        `POST /video/submit HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${plain}\r\nContent-Length: ${whole.length}\r\n\r\n`,
        whole.subarray(0, 90),
      ],
      { end: true },
    );
    expect(answer).to.match(/^HTTP\/1.1 400 /);
    expect(answer).to.contain('before the whole request had come');
    while ((await service.files()).length > files.length) await new Promise((resolve) => setImmediate(resolve));
  });
});
