import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { jobIdSchema } from '../../src/job.ts';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import {
  checkedProblem,
  FILE_HEAD,
  form,
  MAX_UPLOAD_BYTES,
  MULTIPART,
  multipart,
  NOTHING,
  openService,
  problemOf,
  send,
  sendRaw,
  VIDEO,
  type ServiceUnderTest,
} from './service-under-test.ts';
import { jobIn } from '../job-in.ts';

describe('POST /video/submit', () => {
  let service: ServiceUnderTest;
  const opened = async (): Promise<void> => {
    service = await openService();
  };
  const closed = (): Promise<void> => service.close();

  const submit = (body: FormData, query = ''): Promise<Response> =>
    fetch(`${service.url}/video/submit${query}`, { method: 'POST', body });
  const field = (name: string, value: string) => ({
    head: `Content-Disposition: form-data; name="${name}"`,
    body: value,
  });

  describe('accepts', () => {
    beforeEach(opened);
    afterEach(closed);

    it('a video: its file is stored whole, its row is pending, its id is queued, and the answer says where to look', async () => {
      const video = Buffer.concat([VIDEO, Buffer.alloc(200_000, 'video')]);
      const response = await submit(form({ pipeline_id: 'ocr_only' }, video));
      expect(response.status).to.equal(202);
      const text = await response.text();
      const { job_id: jobId } = submitResponseSchema.parse(JSON.parse(text));
      expect(text).to.equal(`{"job_id":"${jobId}"}`);
      expect(response.headers.get('location')).to.equal(`/video/status/${jobId}`);
      expect(await service.files()).to.have.members([`${jobId}.mp4`, `${jobId}.json`]);
      expect(sha256(await readFile(await service.storage.loadFile(`${jobId}.mp4`)))).to.equal(sha256(video));
      const job = await jobIn(service.store, jobId);
      expect(job).to.include({ status: 'pending', pipelineId: 'ocr_only', inputPath: `${jobId}.mp4` });
      expect(job.options).to.deep.equal({ frame_stride: 1 });
      expect(service.queue.dequeue()).to.equal(jobId);
    });

    it('parameters from the query, from the form, and from both where they agree', async () => {
      const response = await submit(
        form({ pipeline_id: 'yolo_ocr', max_frames: '7' }, VIDEO),
        '?pipeline_id=yolo_ocr&frame_stride=5',
      );
      const { job_id: jobId } = submitResponseSchema.parse(await response.json());
      const job = await jobIn(service.store, jobId);
      expect(job.pipelineId).to.equal('yolo_ocr');
      expect(job.options).to.deep.equal({ frame_stride: 5, max_frames: 7 });
    });

    it('a selection of frames and regions', async () => {
      const response = await submit(
        form({ from_ms: '0', to_ms: '90000', region: '0,.75,1,0.25' }, VIDEO),
        '?pipeline_id=ocr_only&sample_every_ms=1000&keyframes_only=true',
      );
      const { job_id: jobId } = submitResponseSchema.parse(await response.json());
      expect((await jobIn(service.store, jobId)).options).to.deep.equal({
        frame_stride: 1,
        sample_every_ms: 1000,
        from_ms: 0,
        to_ms: 90_000,
        keyframes_only: true,
        region: [0, 0.75, 1, 0.25],
      });
    });

    it('empty parameters, in the query or in the form, as not given', async () => {
      const empty = { frame_stride: '', max_frames: '' };
      for (const response of [
        await submit(form({ pipeline_id: 'ocr_only', ...empty }, VIDEO), '?pipeline_id='),
        await submit(form({ pipeline_id: '' }, VIDEO), '?pipeline_id=ocr_only&frame_stride=&max_frames='),
      ]) {
        const { job_id: jobId } = submitResponseSchema.parse(await response.json());
        expect((await jobIn(service.store, jobId)).options).to.deep.equal({ frame_stride: 1 });
      }
    });

    it('fields before and after the file, with any type and encoding of their parts', async () => {
      const body = multipart([
        { head: 'Content-Disposition: form-data; name="pipeline_id"\r\nContent-Type: text/plain', body: 'ocr_only' },
        { head: 'Content-Disposition: form-data; name="file"; filename="v.mp4"', body: VIDEO },
        {
          head: 'Content-Disposition: form-data; name="max_frames"\r\nContent-Transfer-Encoding: 7bit',
          body: '3',
        },
      ]);
      const { status, text } = await send(service.port, { path: '/video/submit', headers: MULTIPART }, [body]);
      expect(status, text).to.equal(202);
      const { job_id: jobId } = submitResponseSchema.parse(JSON.parse(text));
      expect((await jobIn(service.store, jobId)).options).to.deep.equal({ frame_stride: 1, max_frames: 3 });
    });

    it('a body of unknown length', async () => {
      const body = multipart([field('pipeline_id', 'ocr_only'), { head: FILE_HEAD, body: VIDEO }]);
      const headers = { ...MULTIPART, 'transfer-encoding': 'chunked' };
      const { status } = await send(service.port, { path: '/video/submit', headers }, [body]);
      expect(status).to.equal(202);
    });

    it('a large file after large fields, for any chunk size', async () => {
      await service.close();
      service = await openService({ maxUploadBytes: 4_000_000 });
      const video = Buffer.concat([VIDEO, Buffer.alloc(2_000_000)]);
      const body = multipart([
        field('pipeline_id', 'ocr_only'),
        field('note', 'x'.repeat(15_000)),
        { head: FILE_HEAD, body: video },
      ]);
      const pieces = Array.from({ length: Math.ceil(body.length / 10_000) }, (_, at) =>
        body.subarray(at * 10_000, (at + 1) * 10_000),
      );
      const headers = { ...MULTIPART, 'transfer-encoding': 'chunked' };
      for (let round = 0; round < 5; round += 1) {
        const { status, text } = await send(service.port, { path: '/video/submit', headers }, pieces);
        expect(status, text).to.equal(202);
      }
    });

    it('a file of exactly the largest size', async () => {
      const video = Buffer.concat([VIDEO, Buffer.alloc(MAX_UPLOAD_BYTES - VIDEO.length)]);
      expect((await submit(form({ pipeline_id: 'ocr_only' }, video))).status).to.equal(202);
    });

    it('file names that are paths, without following them', async () => {
      for (const name of [
        '../../../etc/passwd',
        '/etc/passwd',
        '..\\..\\x',
        'a\0b.mp4',
        '\u202Egpj.exe',
        'x'.repeat(2000),
      ]) {
        const { status } = await submit(form({ pipeline_id: 'ocr_only' }, VIDEO, name));
        expect(status, name).to.equal(202);
      }
      for (const file of await service.files()) {
        expect(jobIdSchema.safeParse(file.replace(/\.(mp4|json)$/, '')).success, file).to.equal(true);
      }
    });

    it('fifty at once, each under its own id', async () => {
      const responses = await Promise.all(
        Array.from({ length: 50 }, () => submit(form({ pipeline_id: 'ocr_only' }, VIDEO))),
      );
      const ids = await Promise.all(responses.map(async (r) => submitResponseSchema.parse(await r.json()).job_id));
      expect(new Set(ids).size).to.equal(50);
      expect(await service.traces()).to.include({ rows: 50, queued: 50 });
      expect(await service.files()).to.have.members(ids.flatMap((id) => [`${id}.mp4`, `${id}.json`]));
    });
  });

  describe('rejects, and keeps nothing of,', () => {
    before(opened);
    after(closed);
    afterEach(async () => {
      expect(await service.traces()).to.deep.equal(NOTHING);
    });

    it('a file without ftyp in its first 64 bytes', async () => {
      for (const file of [Buffer.from('hello world'), Buffer.alloc(0), Buffer.concat([Buffer.alloc(64, 1), VIDEO])]) {
        const problem = await problemOf(await submit(form({ pipeline_id: 'ocr_only' }, file)));
        expect(problem).to.include({ status: 400, code: 'invalid_mp4', detail: 'Invalid MP4 file' });
      }
    });

    it('a classic QuickTime file, with a hint how to remux it', async () => {
      const file = Buffer.from('\0\0\0\x08wide\0\0\0\x10mdat........', 'latin1');
      const problem = await problemOf(await submit(form({ pipeline_id: 'ocr_only' }, file)));
      expect(problem).to.include({ status: 400, detail: 'Invalid MP4 file' });
      expect(problem.hint).to.contain('ffmpeg -i');
    });

    it('a body without a file', async () => {
      const bodies: [string, Buffer][] = [
        ['no parts', multipart([])],
        ['only fields', multipart([field('pipeline_id', 'ocr_only')])],
        ['a text in place of the file', multipart([field('pipeline_id', 'ocr_only'), field('file', 'text')])],
        ['a file under another name', multipart([{ head: FILE_HEAD.replace('"file"', '"video"'), body: VIDEO }])],
        [
          'a form whose file was not chosen',
          multipart([{ head: FILE_HEAD.replace('v.mp4', ''), body: '' }, field('frame_stride', '1')]),
        ],
      ];
      for (const [name, body] of bodies) {
        const path = '/video/submit?pipeline_id=ocr_only';
        const { headers, text } = await send(service.port, { path, headers: MULTIPART }, [body]);
        expect(checkedProblem(headers['content-type'], text), name).to.include({ status: 422, code: 'missing_file' });
      }
    });

    it('a body that is not a form', async () => {
      for (const type of ['video/mp4', 'application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
        const path = '/video/submit?pipeline_id=ocr_only';
        const { headers, text } = await send(service.port, { path, headers: { 'content-type': type } }, ['{}']);
        expect(checkedProblem(headers['content-type'], text), type).to.include({ status: 422, code: 'missing_file' });
      }
      for (const headers of [{}, { ...MULTIPART, 'content-length': 0 }]) {
        const answer = await send(service.port, { path: '/video/submit', headers });
        expect(checkedProblem(answer.headers['content-type'], answer.text)).to.include({ status: 422 });
      }
    });

    it('an unknown pipeline, in the query or in the form', async () => {
      for (const response of [
        await submit(form({}, VIDEO), '?pipeline_id=nothing'),
        await submit(form({ pipeline_id: 'nothing' }, VIDEO)),
      ]) {
        const problem = await problemOf(response);
        expect(problem).to.include({ status: 404, code: 'unknown_pipeline' });
        expect(problem.detail).to.contain('ocr_only');
      }
    });

    const bad: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      'no pipeline': {},
      'an empty pipeline': { pipeline_id: '' },
      'a stride of 0': { pipeline_id: 'ocr_only', frame_stride: '0' },
      'a negative stride': { pipeline_id: 'ocr_only', frame_stride: '-1' },
      'a broken stride': { pipeline_id: 'ocr_only', frame_stride: '1.5' },
      'a stride with an exponent': { pipeline_id: 'ocr_only', frame_stride: '1e3' },
      'a stride that is no number': { pipeline_id: 'ocr_only', frame_stride: '__proto__' },
      'an endless number': { pipeline_id: 'ocr_only', max_frames: '9'.repeat(400) },
      'a stride and a distance in time': { pipeline_id: 'ocr_only', frame_stride: '1', sample_every_ms: '100' },
      'a distance of no time': { pipeline_id: 'ocr_only', sample_every_ms: '0' },
      'a range that is empty': { pipeline_id: 'ocr_only', from_ms: '500', to_ms: '500' },
      'a range up to 0': { pipeline_id: 'ocr_only', to_ms: '0' },
      'a wish for key frames that is neither yes nor no': { pipeline_id: 'ocr_only', keyframes_only: 'maybe' },
      'a region of three numbers': { pipeline_id: 'ocr_only', region: '0,0,1' },
      'a region without a height': { pipeline_id: 'ocr_only', region: '0,0,1,0' },
      'a region beyond the frame': { pipeline_id: 'ocr_only', region: '0.5,0,0.6,1' },
      'a region in pixels': { pipeline_id: 'ocr_only', region: '0,0,640,480' },
      'no frames': { pipeline_id: 'ocr_only', max_frames: '0' },
    };
    for (const [name, parameters] of Object.entries(bad)) {
      it(`${name}, in the query or in the form`, async () => {
        for (const response of [
          await submit(form({}, VIDEO), `?${new URLSearchParams(parameters).toString()}`),
          await submit(form(parameters, VIDEO)),
        ]) {
          expect(await problemOf(response)).to.include({ status: 422, code: 'invalid_request' });
        }
      });
    }

    it('parameters that contradict each other', async () => {
      for (const response of [
        await submit(form({ pipeline_id: 'yolo_ocr' }, VIDEO), '?pipeline_id=ocr_only'),
        await submit(form({}, VIDEO), '?pipeline_id=ocr_only&frame_stride=1&frame_stride=2'),
      ]) {
        expect(await problemOf(response)).to.include({ status: 422, code: 'invalid_request' });
      }
    });

    it('more than one file', async () => {
      const file = { head: FILE_HEAD, body: VIDEO };
      const body = multipart([field('pipeline_id', 'ocr_only'), file, file, file]);
      const { headers, text } = await send(service.port, { path: '/video/submit', headers: MULTIPART }, [body]);
      expect(checkedProblem(headers['content-type'], text)).to.include({ status: 422, detail: 'More than one file' });
    });

    it('a file that is too large, whether its length is known or not', async () => {
      const body = multipart([
        field('pipeline_id', 'ocr_only'),
        { head: FILE_HEAD, body: Buffer.concat([VIDEO, Buffer.alloc(MAX_UPLOAD_BYTES)]) },
      ]);
      for (const length of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
        const headers = { ...MULTIPART, ...length };
        const answer = await send(service.port, { path: '/video/submit', headers }, [body]);
        expect(checkedProblem(answer.headers['content-type'], answer.text)).to.include({
          status: 413,
          code: 'upload_too_large',
        });
      }
    });

    it('endless fields, part headers and preambles', async () => {
      const long = 'x'.repeat(300_000);
      const bodies: [string, Buffer][] = [
        ['a long field', multipart([field('pipeline_id', long)])],
        ['many fields', multipart(Array.from({ length: 100 }, (_, n) => field(`f${n}`, 'x')))],
        ['a long part header', multipart([{ head: `X-Long: ${long}`, body: '' }])],
        ['a long preamble', Buffer.concat([Buffer.from(long), multipart([])])],
        ['a long epilogue', Buffer.concat([multipart([{ head: FILE_HEAD, body: VIDEO }]), Buffer.from(long)])],
      ];
      for (const [name, body] of bodies) {
        const options = { path: '/video/submit', headers: { ...MULTIPART, 'transfer-encoding': 'chunked' } };
        const { headers, text } = await send(service.port, options, [body]);
        expect(checkedProblem(headers['content-type'], text), name).to.include({ status: 422 });
      }
    });

    it('a body that does not match its multipart header', async () => {
      const whole = multipart([field('pipeline_id', 'ocr_only'), { head: FILE_HEAD, body: VIDEO }]);
      const encoded = multipart([{ head: 'Content-Disposition: form-data\r\nContent-Transfer-Encoding: x', body: '' }]);
      const cases: [string, Record<string, string>, Buffer][] = [
        ['without its end', MULTIPART, whole.subarray(0, -10)],
        ['with another boundary', { 'content-type': 'multipart/form-data; boundary=other' }, whole],
        ['without a boundary', { 'content-type': 'multipart/form-data' }, whole],
        ['with an endless boundary', { 'content-type': `multipart/form-data; boundary=${'b'.repeat(500)}` }, whole],
        ['in an unknown encoding', MULTIPART, encoded],
        ['compressed', { ...MULTIPART, 'content-encoding': 'gzip' }, Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0])],
      ];
      for (const [name, head, body] of cases) {
        const { headers, text } = await send(service.port, { path: '/video/submit', headers: head }, [body]);
        expect(checkedProblem(headers['content-type'], text), name).to.include({ status: 422 });
      }
    });

    it('an upload with invalid chunks', async () => {
      const part = multipart([{ head: FILE_HEAD, body: VIDEO }], '').subarray(0, -6);
      const head =
        'POST /video/submit HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n';
      const length = part.length.toString(16);
      const answer = await sendRaw(service.port, [
        `${head}Transfer-Encoding: chunked\r\n\r\n${length}\r\n`,
        part,
        '\r\nnonsense\r\n',
      ]);
      expect(answer).to.match(/^HTTP\/1.1 400 /);
      await until(async () => (await service.files()).length === 0);
    });

    it('an upload whose client disconnects', async () => {
      const headers = { ...MULTIPART, 'content-length': 200_000 };
      const sent = request({ port: service.port, host: '127.0.0.1', method: 'POST', path: '/video/submit', headers });
      sent.on('error', () => undefined);
      const half = multipart([{ head: FILE_HEAD, body: VIDEO }], '').subarray(0, -6);
      const arrived = once(service.server, 'request');
      sent.write(half);
      const [, response] = await arrived;
      await until(async () => (await service.files()).length === 1);
      sent.destroy();
      await once(response, 'close');
      await until(async () => (await service.files()).length === 0);
    });
  });

  describe('lets a rejected client receive the response', () => {
    before(opened);
    after(closed);

    it('when it sends more than any buffer holds', async () => {
      const chunk = Buffer.alloc(1024 * 1024);
      const head =
        'POST /video/submit HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b';
      const piece = Buffer.concat([Buffer.from('100000\r\n'), chunk, Buffer.from('\r\n')]);
      const part = `--b\r\n${FILE_HEAD}\r\n\r\n`;
      const declared = `${head}\r\nContent-Length: ${48 * chunk.length}\r\n\r\n`;
      const undeclared = `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${part.length.toString(16)}\r\n${part}\r\n`;
      const bodies = [
        [declared, ...Array.from({ length: 48 }, () => chunk)],
        [undeclared, ...Array.from({ length: 48 }, () => piece), '0\r\n\r\n'],
      ];
      for (const body of bodies) {
        const answer = await sendRaw(service.port, body);
        expect(answer).to.match(/^HTTP\/1.1 413 /);
        expect(answer).to.contain('"code":"upload_too_large"');
      }
    });

    it('before it has sent anything, with Expect: 100-continue', async () => {
      const headers = { ...MULTIPART, expect: '100-continue', 'content-length': 1000 };
      const path = '/video/submit?pipeline_id=nothing';
      const sent = request({ port: service.port, host: '127.0.0.1', method: 'POST', path, headers });
      sent.on('continue', () => expect.fail('was told to go on'));
      const answered = once(sent, 'response');
      sent.flushHeaders();
      const [response] = await answered;
      expect(response.statusCode).to.equal(404);
      sent.destroy();
    });

    it('and lets it continue if nothing is wrong', async () => {
      const body = multipart([field('pipeline_id', 'ocr_only'), { head: FILE_HEAD, body: VIDEO }]);
      const headers = { ...MULTIPART, expect: '100-continue', 'content-length': body.length };
      const sent = request({ port: service.port, host: '127.0.0.1', method: 'POST', path: '/video/submit', headers });
      const answered = once(sent, 'response');
      sent.flushHeaders();
      await once(sent, 'continue');
      sent.end(body);
      const [response] = await answered;
      response.resume();
      expect(response.statusCode).to.equal(202);
    });
  });

  describe('keeps nothing', () => {
    afterEach(closed);

    it('of a video whose row cannot be committed', async () => {
      await opened();
      await service.closeStore();
      const problem = await problemOf(await submit(form({ pipeline_id: 'ocr_only' }, VIDEO)));
      expect(problem).to.include({ status: 503, code: 'store_unavailable' });
      expect(await service.files()).to.deep.equal([]);
      expect(service.queue.size()).to.equal(0);
    });

    it('when the queue is full, before it reads the body; a known submission is accepted', async () => {
      service = await openService({ maxPending: 1 });
      const keyed = () =>
        fetch(`${service.url}/video/submit?pipeline_id=ocr_only`, {
          method: 'POST',
          headers: { 'Idempotency-Key': 'mine' },
          body: form({}, VIDEO),
        });
      expect((await keyed()).status).to.equal(202);
      const headers = { ...MULTIPART, expect: '100-continue', 'content-length': 1_000_000_000 };
      const path = '/video/submit?pipeline_id=ocr_only';
      const sent = request({ port: service.port, host: '127.0.0.1', method: 'POST', path, headers });
      sent.on('continue', () => expect.fail('was told to go on'));
      const answered = once(sent, 'response');
      sent.flushHeaders();
      const [response] = await answered;
      expect([response.statusCode, response.headers['retry-after']]).to.deep.equal([503, '30']);
      sent.destroy();
      expect((await keyed()).headers.get('idempotent-replayed')).to.equal('true');
      expect(await service.traces()).to.include({ rows: 1, queued: 1 });
    });

    it('when the disk has only its reserve, before it reads the body', async () => {
      service = await openService({ diskReserveBytes: Number.MAX_SAFE_INTEGER });
      const problem = await problemOf(await submit(form({ pipeline_id: 'ocr_only' }, VIDEO)));
      expect(problem).to.include({ status: 507, code: 'storage_full' });
      expect(await service.traces()).to.deep.equal(NOTHING);
    });
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Polls on every turn of the event loop, limited by the timeout of the test. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
