import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { v7 as uuidv7 } from 'uuid';
import {
  healthResponseSchema,
  pipelinesResponseSchema,
  readyResponseSchema,
  resultsResponseSchema,
  statusResponseSchema,
  submitResponseSchema,
} from '../../src/http/schemas.ts';
import type { JobId } from '../../src/job.ts';
import { form, openService, problemOf, send, sendRaw, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

const FRAMES = [
  { frame_index: 0, result: { timestamp_ms: 0, text: 'ü', lines: [] } },
  { frame_index: 1, result: { timestamp_ms: 40, text: '', lines: [] } },
];

describe('the service over HTTP', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService();
  });
  after(() => service.close());

  const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(service.url + path, init);
  const submitted = async (): Promise<JobId> => {
    const body = form({ pipeline_id: 'ocr_only' }, VIDEO);
    return submitResponseSchema.parse(await (await get('/video/submit', { method: 'POST', body })).json()).job_id;
  };
  const started = async (): Promise<JobId> => {
    const jobId = await submitted();
    await service.engine.dispatch(jobId, { type: 'START' });
    return jobId;
  };
  const completed = async (frames: readonly object[] = FRAMES): Promise<JobId> => {
    const jobId = await started();
    const text = `{"results": [\n${frames.map((frame) => JSON.stringify(frame)).join(',\n')}\n]}\n`;
    const outputPath = await service.storage.saveFile(once(text), `${jobId}_results.json`);
    await service.engine.dispatch(jobId, { type: 'COMPLETE', attempt: 1, outputPath });
    return jobId;
  };
  const failed = async (): Promise<JobId> => {
    const jobId = await started();
    const message = 'no frame could be decoded';
    await service.engine.dispatch(jobId, { type: 'FAIL', attempt: 1, code: 'invalid_video', message });
    return jobId;
  };

  describe('GET /video/status/{job_id}', () => {
    it('returns each state with its coarse progress and nothing else', async () => {
      const states = [
        [await submitted(), 'pending', 0],
        [await started(), 'running', 0.5],
        [await completed(), 'completed', 1],
      ] as const;
      for (const [jobId, status, progress] of states) {
        const response = await get(`/video/status/${jobId}`);
        expect(response.status).to.equal(200);
        const answer = statusResponseSchema.parse(await response.json());
        expect(answer).to.have.all.keys('job_id', 'status', 'progress', 'created_at', 'updated_at');
        expect(answer).to.include({ job_id: jobId, status, progress });
      }
    });

    it('returns the reason of a failure, for people and for programs', async () => {
      const answer = statusResponseSchema.parse(await (await get(`/video/status/${await failed()}`)).json());
      expect(answer).to.include({
        status: 'failed',
        progress: 1,
        error_message: 'no frame could be decoded',
        error_code: 'invalid_video',
      });
    });

    it('returns times in ISO 8601 and UTC', async () => {
      const answer = statusResponseSchema.parse(await (await get(`/video/status/${await started()}`)).json());
      for (const time of [answer.created_at, answer.updated_at]) expect(new Date(time).toISOString()).to.equal(time);
      expect(answer.updated_at >= answer.created_at).to.equal(true);
    });

    it('finds a job by its id in upper case', async () => {
      const jobId = await submitted();
      const answer = statusResponseSchema.parse(await (await get(`/video/status/${jobId.toUpperCase()}`)).json());
      expect(answer.job_id).to.equal(jobId);
    });
  });

  describe('GET /video/results/{job_id}', () => {
    it('returns the stored results with the id, in a body of known length', async () => {
      const jobId = await completed();
      const response = await get(`/video/results/${jobId}`, { headers: { 'accept-encoding': 'identity' } });
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.match(/^application\/json/);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get('content-length')).to.equal(String(bytes.length));
      const answer: unknown = JSON.parse(bytes.toString());
      expect(answer).to.deep.equal({ job_id: jobId, results: FRAMES });
      resultsResponseSchema.parse(answer);
    });

    it('returns the frames of a time range, anywhere in the document', async () => {
      const lines = [{ text: '"timestamp_ms":7', confidence: 1, bbox: [0, 0, 1, 1] }];
      const frames = Array.from({ length: 5_000 }, (_, index) => ({
        frame_index: index,
        result: { timestamp_ms: index * 40, text: 'x'.repeat(index % 900), lines },
      }));
      const jobId = await completed(frames);
      const indices = async (query: string) => {
        const { results } = resultsResponseSchema.parse(await (await get(`/video/results/${jobId}?${query}`)).json());
        return results.map(({ frame_index: index }) => index);
      };
      expect(await indices('from_ms=100000&to_ms=100120')).to.deep.equal([2_500, 2_501, 2_502]);
      expect(await indices('from_ms=0&to_ms=41')).to.deep.equal([0, 1]);
      expect(await indices('from_ms=199921')).to.deep.equal([4_999]);
      expect(await indices('from_ms=500000')).to.deep.equal([]);
      const whole = await indices('to_ms=1000000');
      expect(whole).to.deep.equal(frames.map(({ frame_index: index }) => index));
      const refused = await get(`/video/results/${jobId}?from_ms=5&to_ms=5`);
      expect(await problemOf(refused)).to.include({ status: 422, code: 'invalid_request' });
    });

    it('sends them compressed to clients that accept it, uncompressed to others', async () => {
      const jobId = await completed(
        Array.from({ length: 2_000 }, (_, index) => ({ ...FRAMES[0], frame_index: index })),
      );
      const path = `/video/results/${jobId}`;
      const sizes = await Promise.all(
        ['gzip', 'identity'].map(async (encoding) => {
          const answer = await send(service.port, { path, method: 'GET', headers: { 'accept-encoding': encoding } });
          return [answer.headers['content-encoding'], Buffer.byteLength(answer.text) < 40_000];
        }),
      );
      expect(sizes).to.deep.equal([
        ['gzip', true],
        [undefined, false],
      ]);
    });

    it('reads the file each time', async () => {
      const jobId = await completed();
      await writeFile(await service.storage.loadFile(`${jobId}_results.json`), '{"results": []}\n');
      expect(await (await get(`/video/results/${jobId}`)).json()).to.deep.equal({ job_id: jobId, results: [] });
    });

    it('returns results of many megabytes', async () => {
      const frames = Array.from({ length: 5000 }, (_, n) => ({
        frame_index: n,
        result: { timestamp_ms: n, text: 'x'.repeat(1000), lines: [] },
      }));
      const jobId = await completed(frames);
      const answer = resultsResponseSchema.parse(await (await get(`/video/results/${jobId}`)).json());
      expect(answer.results).to.have.length(5000);
    });

    it('names the state of a job that is not completed', async () => {
      const states = { pending: await submitted(), running: await started(), failed: await failed() };
      for (const [status, jobId] of Object.entries(states)) {
        const problem = await problemOf(await get(`/video/results/${jobId}`));
        expect(problem).to.include({ status: 404, code: 'job_not_completed' });
        expect(problem.detail).to.contain(status);
      }
    });

    it('does not reveal the path of a missing file', async () => {
      const jobId = await completed();
      await service.storage.deleteFile(`${jobId}_results.json`);
      const problem = await problemOf(await get(`/video/results/${jobId}`));
      expect(problem).to.include({ status: 500, code: 'internal' });
      expect(problem.detail).not.to.contain('results.json');
    });
  });

  for (const route of ['status', 'results']) {
    it(`responds with 404 at /video/${route} for every unknown id`, async () => {
      const ids = [uuidv7(), 'x', '..', '%2e%2e%2f', '%00', '%E0%A4%A', "1'--", '1'.repeat(5000), uuidv7().slice(1)];
      for (const id of ids) {
        const answer = await send(service.port, { path: `/video/${route}/${id}`, method: 'GET' });
        expect(answer.status, id).to.equal(404);
        expect(answer.headers['content-type']).to.equal('application/problem+json');
      }
      const problem = await problemOf(await get(`/video/${route}/${uuidv7()}`));
      expect(problem.code).to.equal('job_not_found');
    });
  }

  it('lists the pipelines with their descriptions, parameters and parameter schemas', async () => {
    const { pipelines } = pipelinesResponseSchema.parse(await (await get('/pipelines')).json());
    expect(pipelines.map(({ id }) => id)).to.deep.equal(['ocr_fast', 'ocr_only', 'yolo_ocr']);
    const both = pipelines.find(({ id }) => id === 'yolo_ocr');
    const [objects, text] = both?.nodes ?? [];
    expect(objects).to.deep.include({
      id: 'objects',
      tool: 'objects.detect',
      params: { model: 'nanodet', min_confidence: 0.4, iou: 0.5, max_detections: 100 },
    });
    expect(text?.params).to.deep.equal({ min_confidence: 0.6, recogniser: 'ppocr_v4', regions: 'frame' });
    expect(objects).not.to.have.property('reads');
    expect(text?.reads?.scripts).to.include({ Latin: 121, Han: 6281 });
    expect(text?.reads?.letters).to.contain('a').and.not.contain('ß');
    expect(both?.edges).to.deep.equal([
      { from: 'frame', to: 'objects' },
      { from: 'frame', to: 'text' },
    ]);
    expect(both?.outputs).to.deep.equal(['objects', 'text']);
    // A schema that distinguishes valid and invalid parameters, like the service at start.
    const takes = new Ajv2020().compile(text?.params_schema ?? false);
    expect(takes({ regions: 'detections' })).to.equal(true);
    expect(takes({ detection_side: 63 })).to.equal(false);
    expect(takes({ detection_sides: 640 })).to.equal(false);
  });

  it('is alive while it responds, and ready while its database does', async () => {
    const closing = await openService();
    try {
      const ready = await fetch(`${closing.url}/ready`);
      expect(readyResponseSchema.parse(await ready.json()).status).to.equal('ready');
      await closing.closeStore();
      const unready = await fetch(`${closing.url}/ready`);
      expect(unready.headers.get('retry-after')).to.equal('1');
      expect(await problemOf(unready)).to.include({ status: 503, code: 'not_ready' });
      const health = healthResponseSchema.parse(await (await fetch(`${closing.url}/health`)).json());
      expect(health.status).to.equal('ok');
      expect(health.version).to.match(/^\d+\.\d+\.\d+$/);
      expect(health.isolation).to.deep.equal(['process']);
    } finally {
      await closing.close();
    }
  });

  it('reports what is missing until jobs are analysed, and serves reads meanwhile', async () => {
    const missing = ['first reason', 'second reason'];
    const starting = await openService({ waitingFor: () => missing });
    try {
      const problem = await problemOf(await fetch(`${starting.url}/ready`));
      expect(problem).to.include({ status: 503, code: 'not_ready', detail: 'first reason; second reason' });
      expect((await fetch(`${starting.url}/health`)).status).to.equal(200);
      expect((await fetch(`${starting.url}/video/jobs`)).status).to.equal(200);
      missing.length = 0;
      expect((await fetch(`${starting.url}/ready`)).status).to.equal(200);
    } finally {
      await starting.close();
    }
  });

  it('responds to an unknown path with a problem document', async () => {
    for (const path of ['/video', '/video/status', '/video/status/', '/nothing?x=1', '//', '/%']) {
      expect((await send(service.port, { path, method: 'GET' })).status, path).to.equal(404);
    }
    expect(await problemOf(await get('/nothing'))).to.include({ status: 404, code: 'route_not_found' });
    expect(await problemOf(await get('/nothing', { method: 'POST', body: 'x' }))).to.include({ status: 404 });
  });

  it('lists the methods of a path', async () => {
    const routes = [
      ['GET', '/video/submit', 'POST'],
      ['DELETE', '/video/submit', 'POST'],
      ['POST', `/video/status/${uuidv7()}`, 'HEAD, GET'],
      ['PUT', '/health', 'HEAD, GET'],
      ['PROPFIND', '/ready', 'HEAD, GET'],
    ] as const;
    for (const [method, path, allowed] of routes) {
      const response = await get(path, { method });
      expect(response.headers.get('allow'), path).to.equal(allowed);
      expect(await problemOf(response)).to.include({ status: 405, code: 'method_not_allowed' });
    }
  });

  it('responds to HEAD like GET, without the body', async () => {
    const jobId = await completed();
    for (const path of ['/health', `/video/status/${jobId}`, `/video/results/${jobId}`, `/video/status/${uuidv7()}`]) {
      const [full, head] = [await get(path), await get(path, { method: 'HEAD' })];
      expect(head.status).to.equal(full.status);
      expect(await head.text()).to.equal('');
      for (const name of ['content-type', 'content-length']) {
        expect(head.headers.get(name), path).to.equal(full.headers.get(name));
      }
      await full.arrayBuffer();
    }
  });

  it("gives every request an id: the client's if it is valid, else a new one", async () => {
    const named = await get('/nothing', { headers: { 'x-request-id': 'mine-1.2_3' } });
    expect(named.headers.get('x-request-id')).to.equal('mine-1.2_3');
    expect((await problemOf(named)).request_id).to.equal('mine-1.2_3');
    for (const bad of ['a b', '{}', 'x'.repeat(65), '"']) {
      const id = (await get('/health', { headers: { 'x-request-id': bad } })).headers.get('x-request-id');
      expect(id).to.match(/^[0-9a-f-]{36}$/);
    }
  });

  it('responds even to invalid HTTP with a problem document', async () => {
    const cases = [
      ['NONSENSE\r\n\r\n', 400, 'malformed_request'],
      ['GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n', 400, 'malformed_request'],
      [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ] as const;
    for (const [bytes, status, code] of cases) {
      const answer = await sendRaw(service.port, [bytes]);
      expect(answer).to.match(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).to.contain('application/problem+json').and.to.contain(`"code":"${code}"`);
    }
  });
});

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
