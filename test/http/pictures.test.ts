import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { request, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReelstateClient } from '../../src/client/reelstate-client.ts';
import { ReelstateError } from '../../src/client/reelstate-error.ts';
import { resultsPathOf, segmentsPathOf, thumbnailsPathOf, inputPathOf } from '../../src/engine/sidecar.ts';
import { PictureTurns } from '../../src/http/routes/picture-turns.ts';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import type { JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { decodeStill } from '../../src/pipeline/still.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { PooledPictures } from '../../src/pool/pooled-pictures.ts';
import { ProcessPool } from '../../src/pool/process-pool.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { refusalOf } from '../refusal-of.ts';
import { decodedPicture } from '../pipeline/decoded-picture.ts';
import { form, openService, problemOf, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

const line = (text: string) => ({ text, confidence: 0.99, bbox: [40, 40, 100, 30] });

describe('the pictures of a job', () => {
  let service: ServiceUnderTest;
  let pool: ProcessPool;
  let folder: string;
  let video: Buffer;
  let jobId: JobId;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pictures-'));
    const path = join(folder, 'video.mp4');
    makeVideo({ path, width: 640, height: 360, frames: 50, picture: 'testsrc2' });
    video = readFileSync(path);
    pool = ProcessPool.open({
      size: 2,
      isLazy: true,
      threads: 0,
      isolation: await detectIsolation({ environment: process.env }),
      memoryBytes: 900_000_000,
      stallTimeoutMs: 300_000,
      recycleAfterJobs: 1000,
      warmUp: [],
      log: createLog('silent'),
    });
    const pictures = new PooledPictures({ pool, limits: DEFAULT_VIDEO_LIMITS, extraDecoders: [] });
    service = await openService({ pictures, maxUploadBytes: 10_000_000 });
    jobId = await completed();
  });
  after(async () => {
    await service.close();
    await pool.close();
    rmSync(folder, { recursive: true });
  });

  const get = (path: string, headers: Record<string, string> = {}) => fetch(service.url + path, { headers });
  const stored = (path: string) => join(service.folder, 'video_jobs', path);
  const submitted = async (file = video): Promise<JobId> => {
    const body = form({ pipeline_id: 'ocr_only' }, file);
    return submitResponseSchema.parse(
      await (await fetch(`${service.url}/video/submit`, { method: 'POST', body })).json(),
    ).job_id;
  };
  /** Every fifth frame is analysed: nothing, then one text, then another. */
  const completed = async (): Promise<JobId> => {
    const id = await submitted();
    await service.engine.dispatch(id, { type: 'START' });
    const frames = Array.from({ length: 10 }, (_, at) => {
      const lines = at < 2 ? [] : [line(at < 6 ? 'One thing' : 'Quite another')];
      return { frame_index: 5 * at, result: { timestamp_ms: 200 * at, text: lines[0]?.text ?? '', lines } };
    });
    await writeFile(
      stored(resultsPathOf(id)),
      `{"results": [\n${frames.map((f) => JSON.stringify(f)).join(',\n')}\n]}\n`,
    );
    await service.engine.dispatch(id, { type: 'COMPLETE', attempt: 1, outputPath: resultsPathOf(id) });
    return id;
  };

  it('are thumbnails of the first frame analysed and of the first of each scene, stored when they are asked for', async () => {
    expect(pool.pids()).to.have.lengthOf(0);
    const pictures: string[] = [];
    for (const frame of ['0', '10', '30', 'first']) {
      const response = await get(`/video/thumbnails/${jobId}/${frame}`);
      expect([response.status, response.headers.get('content-type')]).to.deep.equal([200, 'image/jpeg']);
      expect(response.headers.get('cache-control')).to.equal('private, no-cache');
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(decodedPicture(bytes, 'jpeg')).to.include({ width: 320, height: 180 });
      pictures.push(bytes.toString('base64'));
    }
    expect(new Set(pictures).size).to.equal(3);
    expect(pictures[3]).to.equal(pictures[0]);
    expect(pool.pids()).to.have.lengthOf(1);
    const document = await readFile(stored(thumbnailsPathOf(jobId)));
    await writeFile(stored(thumbnailsPathOf(jobId)), '{"version":0}\n');
    expect((await get(`/video/thumbnails/${jobId}/30`)).status).to.equal(200);
    expect((await readFile(stored(thumbnailsPathOf(jobId)))).equals(document)).to.equal(true);
  });

  it('are made once when many ask at the same time', async () => {
    const id = await completed();
    const responses = await Promise.all(Array.from({ length: 6 }, () => get(`/video/thumbnails/${id}/first`)));
    expect(responses.map(({ status }) => status)).to.deep.equal(responses.map(() => 200));
    const texts = await Promise.all(
      responses.map(async (each) => Buffer.from(await each.arrayBuffer()).toString('hex')),
    );
    expect(new Set(texts).size).to.equal(1);
  });

  it('are stills of the whole frame at any time, as JPEG or PNG', async () => {
    for (const [query, atMs] of [
      ['?at_ms=399.5&format=png', 360],
      ['?format=png', 0],
      ['?at_ms=9e4', undefined],
    ] as const) {
      const response = await get(`/video/still/${jobId}${query}`);
      if (atMs === undefined) {
        expect(response.status).to.equal(422);
        continue;
      }
      expect([response.status, response.headers.get('content-type')]).to.deep.equal([200, 'image/png']);
      const picture = decodedPicture(new Uint8Array(await response.arrayBuffer()), 'png');
      const expected = decodeStill(stored(inputPathOf(jobId)), atMs).picture;
      expect(Buffer.compare(picture.rgb, expected.rgb), query).to.equal(0);
    }
    const jpeg = await get(`/video/still/${jobId}?at_ms=90000`);
    expect(jpeg.headers.get('content-type')).to.equal('image/jpeg');
    expect(decodedPicture(new Uint8Array(await jpeg.arrayBuffer()), 'jpeg')).to.include({ width: 640, height: 360 });
  });

  it('are returned by the client as files', async () => {
    const client = new ReelstateClient({ url: service.url });
    const bytesOf = async (path: string) => Buffer.from(await (await get(path)).arrayBuffer());
    for (const [picture, path] of [
      [await client.thumbnail(jobId), `/video/thumbnails/${jobId}/first`],
      [await client.thumbnail(jobId, { frameIndex: 30 }), `/video/thumbnails/${jobId}/30`],
      [await client.still(jobId, { atMs: 40, format: 'png' }), `/video/still/${jobId}?at_ms=40&format=png`],
    ] as const) {
      expect(Buffer.from(await picture.arrayBuffer()).equals(await bytesOf(path)), path).to.equal(true);
    }
    const refused = await client.thumbnail(jobId, { frameIndex: 5 }).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ReelstateError).and.to.include({ code: 'picture_not_found', status: 404 });
  });

  it('are not sent again to a client that has them', async () => {
    for (const path of [`/video/thumbnails/${jobId}/10`, `/video/still/${jobId}?at_ms=40`]) {
      const tag = (await get(path)).headers.get('etag') ?? '';
      expect((await get(path, { 'If-None-Match': tag })).status, path).to.equal(304);
    }
  });

  it('are refused for what is not there', async () => {
    const pending = await submitted();
    const unknown = '019ddddd-0000-7000-8000-000000000000';
    for (const [path, status, code] of [
      [`/video/thumbnails/${jobId}/5`, 404, 'picture_not_found'],
      [`/video/thumbnails/${jobId}/x`, 404, 'picture_not_found'],
      [`/video/thumbnails/${unknown}/0`, 404, 'job_not_found'],
      [`/video/thumbnails/${pending}/0`, 404, 'job_not_completed'],
      [`/video/still/${unknown}`, 404, 'job_not_found'],
      [`/video/still/${await submitted(VIDEO)}`, 404, 'picture_not_found'],
      [`/video/still/${jobId}?format=gif`, 422, 'invalid_request'],
      [`/video/still/${jobId}?at_ms=-1`, 422, 'invalid_request'],
    ] as const) {
      expect(await problemOf(await get(path)), path).to.include({ status, code });
    }
    expect((await get(`/video/still/${pending}`)).status).to.equal(200);
  });

  it('are gone with the files of the job', async () => {
    const id = await completed();
    expect((await get(`/video/thumbnails/${id}/first`)).status).to.equal(200);
    expect((await fetch(`${service.url}/video/jobs/${id}`, { method: 'DELETE' })).status).to.equal(200);
    expect(await problemOf(await get(`/video/thumbnails/${id}/first`))).to.include({
      status: 410,
      code: 'results_expired',
    });
    expect(await problemOf(await get(`/video/still/${id}`))).to.include({ status: 410, code: 'video_missing' });
    const left = (await readdir(stored(''))).filter((name) => name.startsWith(id));
    expect(left).to.deep.equal([`${id}.json`]);
  });

  it('cannot be made of a video that is lost', async () => {
    const id = await completed();
    await rm(stored(inputPathOf(id)));
    expect(await problemOf(await get(`/video/thumbnails/${id}/first`))).to.include({
      status: 410,
      code: 'video_missing',
    });
    expect((await readdir(stored(''))).filter((name) => name === segmentsPathOf(id))).to.deep.equal([]);
  });
});

describe('stills', () => {
  let service: ServiceUnderTest;
  const begun: (() => void)[] = [];
  const signals: AbortSignal[] = [];
  before(async () => {
    service = await openService({
      pictures: {
        async *pictures(_path, _wish, signal = new AbortController().signal) {
          signals.push(signal);
          begun.shift()?.();
          await once(signal, 'abort');
          signal.throwIfAborted();
        },
      },
    });
  });
  after(() => service.close());

  it('are made one after another for a client, up to four wait, and another client is served meanwhile', async () => {
    const path = `/video/still/${await service.submit()}`;
    const ask = (localAddress: string): ClientRequest => {
      const sent = request({ host: '127.0.0.1', port: service.port, path, localAddress, agent: false });
      sent.on('error', () => undefined).end();
      return sent;
    };
    const begins = (): Promise<void> => new Promise((resolve) => begun.push(resolve));
    const first = begins();
    const asked = Array.from({ length: 4 }, () => ask('127.0.0.1'));
    await first;
    for (;;) {
      const refused = await fetch(service.url + path);
      expect(refused.headers.get('retry-after')).to.equal('2');
      const { status, code, detail } = await problemOf(refused);
      expect({ status, code }).to.deep.equal({ status: 503, code: 'pictures_busy' });
      if (detail.startsWith('4 ')) break;
    }
    expect(signals).to.have.length(1);
    const another = begins();
    const other = ask('127.0.0.2');
    await another;

    // The next one begins when the client of the first disconnects.
    const [signal] = signals;
    if (signal === undefined) throw new Error('no picture was begun');
    const givenUp = once(signal, 'abort');
    const next = begins();
    asked[0]?.destroy();
    await Promise.all([givenUp, next]);
    for (const sent of [other, ...asked]) sent.destroy();
  });

  it('are limited for all clients together', async () => {
    const turns = new PictureTurns();
    const end = new AbortController();
    const running = Array.from({ length: 8 }, (_, n) =>
      turns.run(`client ${n}`, async () => {
        if (!end.signal.aborted) await once(end.signal, 'abort');
      }),
    );
    expect(await refusalOf(turns.run('another', async () => undefined))).to.include({ code: 'pictures_busy' });
    end.abort();
    await Promise.all(running);
    await turns.run('another', async () => undefined);
  });
});
