import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { ReelstateClient } from '../../src/client/reelstate-client.ts';
import { ReelstateError } from '../../src/client/reelstate-error.ts';
import { jobIdSchema } from '../../src/job.ts';
import { MAX_UPLOAD_BYTES, openService, VIDEO, type ServiceUnderTest } from '../http/service-under-test.ts';

const addressSchema = z.object({ port: z.number() });

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answer) => expect.fail(`no error: ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
}

async function refusalOf(call: Promise<unknown>): Promise<ReelstateError> {
  const error = await errorOf(call);
  if (!(error instanceof ReelstateError)) throw error;
  return error;
}

/** A server in place of the service. */
async function withServer<T>(listener: RequestListener, use: (client: ReelstateClient) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(new ReelstateClient({ url: `http://127.0.0.1:${addressSchema.parse(server.address()).port}/` }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the client', () => {
  let service: ServiceUnderTest;
  let client: ReelstateClient;
  let folder: string;
  const video = new Blob([VIDEO]);
  const submit = async () => (await client.submit({ file: video, pipelineId: 'ocr_only' })).jobId;

  /** Runs a job with the given text as its results document. */
  const complete = async (jobId: string, document: string): Promise<void> => {
    const id = jobIdSchema.parse(jobId);
    await service.engine.dispatch(id, { type: 'START' });
    const outputPath = `${id}_results.json`;
    await service.storage.saveFile(
      (async function* () {
        yield document;
      })(),
      outputPath,
    );
    await service.engine.dispatch(id, { type: 'COMPLETE', attempt: 1, outputPath });
  };

  beforeEach(async () => {
    service = await openService();
    client = new ReelstateClient({ url: service.url });
    folder = await mkdtemp(join(tmpdir(), 'client-'));
  });
  afterEach(async () => {
    await service.close();
    await rm(folder, { recursive: true });
  });

  it('uploads a file as it is read, reports progress, and the service receives every byte', async () => {
    const bytes = Buffer.concat([VIDEO, Buffer.alloc(200_000, 'film')]);
    const path = join(folder, 'a "b".mp4');
    await writeFile(path, bytes);
    const told: number[] = [];
    const { jobId, isReplay } = await client.submit({
      file: await openAsBlob(path),
      fileName: 'a "b"\r\n.mp4',
      pipelineId: 'yolo_ocr',
      frameStride: 25,
      maxFrames: 3,
      onProgress: (sent, all) => told.push(sent / all),
    });
    expect(isReplay).to.equal(false);
    expect(told.at(-1)).to.equal(1);
    expect(told).to.deep.equal(told.toSorted((a, b) => a - b));
    const answer = await fetch(`${service.url}/video/source/${jobId}`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).to.equal(true);
    const { jobs } = await client.page();
    expect(jobs).to.have.lengthOf(1);
    expect(jobs[0]).to.deep.include({ pipeline_id: 'yolo_ocr', options: { frame_stride: 25, max_frames: 3 } });
  });

  it('sends the selection of frames and regions', async () => {
    const range = { sampleEveryMs: 500, fromMs: 100, toMs: 2000, keyframesOnly: true };
    await client.submit({ file: video, pipelineId: 'ocr_only', ...range, region: [0, 0.5, 1, 0.5] });
    const options = {
      frame_stride: 1,
      sample_every_ms: 500,
      from_ms: 100,
      to_ms: 2000,
      keyframes_only: true,
      region: [0, 0.5, 1, 0.5],
    };
    expect((await client.page()).jobs[0]?.options).to.deep.equal(options);
    const { code } = await refusalOf(client.submit({ file: video, pipelineId: 'ocr_only', ...range, frameStride: 2 }));
    expect(code).to.equal('invalid_request');
  });

  it('submits once per idempotency key, and reports a replay', async () => {
    const options = { file: video, pipelineId: 'ocr_only', idempotencyKey: 'once' };
    const first = await client.submit(options);
    expect(await client.submit(options)).to.deep.equal({ jobId: first.jobId, isReplay: true });
    const { code, status } = await refusalOf(client.submit({ ...options, frameStride: 2 }));
    expect({ code, status }).to.deep.equal({ code: 'idempotency_mismatch', status: 422 });
  });

  it('analyses a stored video again, and lists jobs by tag and file name', async () => {
    const named = { file: video, fileName: 'Holiday.mp4', pipelineId: 'ocr_only', tag: 'summer' };
    const { jobId } = await client.submit({ ...named, frameStride: 5 });
    await submit();
    const again = await client.rerun(jobId, { pipelineId: 'yolo_ocr', maxFrames: 2, idempotencyKey: 'again' });
    const repeated = { pipelineId: 'yolo_ocr', maxFrames: 2, idempotencyKey: 'again' };
    expect(await client.rerun(jobId, repeated)).to.deep.equal({ jobId: again.jobId, isReplay: true });
    const { jobs } = await client.page({ tag: 'summer', fileName: 'holi' });
    expect(jobs.map(({ job_id: id }) => id)).to.deep.equal([again.jobId, jobId]);
    expect(jobs[0]).to.deep.include({
      pipeline_id: 'yolo_ocr',
      options: { frame_stride: 5, max_frames: 2 },
      file_name: 'Holiday.mp4',
    });
    expect((await client.page({ tag: 'winter' })).jobs).to.deep.equal([]);
  });

  it('turns every rejection into one error class', async () => {
    const unknown = await refusalOf(client.submit({ file: video, pipelineId: 'none' }));
    expect(unknown).to.include({ code: 'unknown_pipeline', status: 404, isTransient: false });
    expect(unknown.message).to.contain('ocr_only');
    const png = new Blob([Buffer.from('89504e470d0a1a0a', 'hex')]);
    const notVideo = await refusalOf(client.submit({ file: png, pipelineId: 'ocr_only' }));
    expect(notVideo).to.include({ code: 'invalid_mp4', status: 400, message: 'Invalid MP4 file' });
    const large = new Blob([VIDEO, Buffer.alloc(MAX_UPLOAD_BYTES)]);
    expect(await refusalOf(client.submit({ file: large, pipelineId: 'ocr_only' }))).to.include({ status: 413 });
    expect(await refusalOf(client.status('../jobs'))).to.include({ code: 'job_not_found', status: 404 });
    expect(await refusalOf(client.results('x').next())).to.include({ code: 'job_not_found' });
    expect(await service.files()).to.deep.equal([]);
  });

  it('has the hint and the retry time of a problem', async () => {
    const problem = { code: 'queue_full', detail: 'full', hint: 'wait', title: 'Full', status: 503 };
    const error = await withServer(
      (_, response) => response.writeHead(503, { 'Retry-After': '30' }).end(JSON.stringify(problem)),
      (other) => refusalOf(other.status('1')),
    );
    expect(error).to.include({ code: 'queue_full', hint: 'wait', retryAfterS: 30, isTransient: true });
  });

  it('rejects responses of other servers', async () => {
    for (const [status, body] of [
      [200, '<html>'],
      [200, '{"job_id":"1","status":"done"}'],
      [502, 'Bad gateway'],
    ] as const) {
      const error = await withServer(
        (_, response) => response.writeHead(status).end(body),
        (other) => refusalOf(other.status('1')),
      );
      expect(error, body).to.include({ code: 'unexpected_response', status });
    }
    expect(await refusalOf(new ReelstateClient({ url: 'http://127.0.0.1:9' }).status('1'))).to.include({
      code: 'unreachable',
      status: 0,
      message: 'no response from http://127.0.0.1:9',
    });
  });

  it('follows no redirect, so that a key is not sent elsewhere', async () => {
    const asked: string[] = [];
    const error = await withServer(
      (request, response) => {
        asked.push(request.url ?? '');
        response.writeHead(307, { Location: '/elsewhere' }).end();
      },
      (other) => refusalOf(other.status('1')),
    );
    expect(error.code).to.equal('unreachable');
    expect(asked).to.deep.equal(['/video/status/1']);
  });

  it('waits for the end of a job and reports each state once', async () => {
    const jobId = await submit();
    const states: string[] = [];
    const ended = await client.waitFor(jobId, {
      onState: ({ status }) => {
        states.push(status);
        if (status === 'pending') void complete(jobId, '{"results": []}');
      },
    });
    expect(ended).to.include({ job_id: jobId, status: 'completed', progress: 1 });
    expect(states[0]).to.equal('pending');
    expect(states.at(-1)).to.equal('completed');
    expect(new Set(states).size).to.equal(states.length);
  });

  it('continues to wait while the service is busy, and stops on a final rejection', async () => {
    let asked = 0;
    const body = { job_id: '1', status: 'failed', progress: 1, created_at: '', updated_at: '' };
    const status = await withServer(
      (_, response) => {
        asked += 1;
        if (asked === 1) response.destroy();
        else if (asked === 2) response.writeHead(503).end('busy');
        else response.end(JSON.stringify(body));
      },
      (other) => other.waitFor('1'),
    );
    expect(status).to.deep.equal(body);
    expect(asked).to.equal(3);
    expect(await refusalOf(client.waitFor('none'))).to.include({ code: 'job_not_found' });
  });

  it('rejects with the reason of an abort', async () => {
    const ending = new AbortController();
    const reason = new Error('enough');
    const jobId = await submit();
    const waiting = client.waitFor(jobId, { signal: ending.signal, onState: () => ending.abort(reason) });
    expect(await errorOf(waiting)).to.equal(reason);
    const { signal } = ending;
    expect(await errorOf(client.submit({ file: video, pipelineId: 'ocr_only', signal }))).to.equal(reason);
    expect(await errorOf(client.results(jobId, { signal }).next())).to.equal(reason);
    expect((await client.page()).jobs).to.have.lengthOf(1);
  });

  it('yields results frame by frame, and closes the connection when the reader stops', async () => {
    const frames = Array.from({ length: 5_000 }, (_, index) => ({
      frame_index: index,
      result: { timestamp_ms: index * 40, text: `line ${index}\n"}]`, lines: [] },
    }));
    const jobId = await submit();
    await complete(jobId, `{"results": [\n${frames.map((frame) => JSON.stringify(frame)).join(',\n')}\n]}\n`);
    const read: unknown[] = [];
    for await (const frame of client.results(jobId)) read.push(frame);
    expect(read).to.deep.equal(frames);
    for await (const frame of client.results(jobId)) {
      expect(frame).to.deep.equal(frames[0]);
      break;
    }
    let text = '';
    for await (const piece of client.resultsText(jobId)) text += piece;
    expect(JSON.parse(text)).to.deep.equal({ job_id: jobId, results: frames });
  });

  it('rejects incomplete results', async () => {
    const error = await withServer(
      (_, response) => {
        response.writeHead(200, { 'Content-Length': '1000' });
        response.write('{"job_id":"1","results": [\n{"frame_index":0,"result":{}},\n', () => response.destroy());
      },
      async (other) => {
        const frames = other.results('1');
        expect((await frames.next()).value).to.deep.equal({ frame_index: 0, result: {} });
        return refusalOf(frames.next());
      },
    );
    expect(error).to.include({ code: 'unreachable', message: 'the connection broke during the results' });
  });

  it('deletes the files of finished jobs only', async () => {
    const jobId = await submit();
    expect(await refusalOf(client.deleteFiles(jobId))).to.include({ code: 'job_conflict', status: 409 });
    await client.cancel(jobId);
    const deletion = await client.deleteFiles(jobId);
    expect(deletion.job_id).to.equal(jobId);
    expect(await client.deleteFiles(jobId)).to.deep.equal(deletion);
  });

  it('cancels, lists page by page, and returns the history of a job', async () => {
    const jobIds: string[] = [];
    for (let count = 0; count < 3; count += 1) jobIds.unshift(await submit());
    const [cancelled = ''] = jobIds;
    expect(await client.cancel(cancelled)).to.include({ status: 'failed', error_code: 'cancelled' });
    const first = await client.page({ limit: 2 });
    const second = await client.page({ limit: 2, cursor: first.next_cursor ?? '' });
    expect([...first.jobs, ...second.jobs].map(({ job_id: id }) => id)).to.deep.equal(jobIds);
    expect(second.next_cursor).to.equal(null);
    const listed: string[] = [];
    for await (const job of client.list({ status: 'pending', pipelineId: 'ocr_only' })) listed.push(job.job_id);
    expect(listed).to.deep.equal(jobIds.slice(1));
    const { transitions } = await client.transitions(cancelled);
    expect(transitions.map(({ event }) => event)).to.deep.equal(['SUBMIT', 'CANCEL']);
    expect(Object.keys((await client.machine('job')).definition.states)).to.contain('pending');
    expect((await client.pipelines()).pipelines.map(({ id }) => id)).to.deep.equal([
      'ocr_fast',
      'ocr_only',
      'yolo_ocr',
    ]);
  });

  it('sends the key if one is set', async () => {
    const sha256 = createHash('sha256').update('secret').digest('hex');
    const guarded = await openService({ keys: [{ sha256, scopes: ['read'] }] });
    try {
      const { url } = guarded;
      expect(await refusalOf(new ReelstateClient({ url }).page())).to.include({ code: 'unauthenticated', status: 401 });
      const reader = new ReelstateClient({ url, apiKey: 'secret' });
      expect((await reader.page()).jobs).to.deep.equal([]);
      expect(await refusalOf(reader.submit({ file: video, pipelineId: 'ocr_only' }))).to.include({
        code: 'scope_missing',
        status: 403,
      });
    } finally {
      await guarded.close();
    }
  });
});
