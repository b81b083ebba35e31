import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiKey } from '../../src/http/middleware/access.ts';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import { sidecarSchema } from '../../src/engine/sidecar.ts';
import { form, openService, problemOf, VIDEO, type ServiceUnderTest } from './service-under-test.ts';
import { jobIn } from '../job-in.ts';

const keyOf = (key: string): ApiKey => ({
  sha256: createHash('sha256').update(key).digest('hex'),
  scopes: ['submit', 'read'],
});

describe('an Idempotency-Key', () => {
  let service: ServiceUnderTest;
  beforeEach(async () => {
    service = await openService();
  });
  afterEach(() => service.close());

  const submit = (key: string, options: { fields?: Record<string, string>; video?: Buffer; apiKey?: string } = {}) => {
    const { fields = {}, video = VIDEO, apiKey } = options;
    return fetch(`${service.url}/video/submit`, {
      method: 'POST',
      headers: { 'Idempotency-Key': key, ...(apiKey === undefined ? {} : { 'X-API-Key': apiKey }) },
      body: form({ pipeline_id: 'ocr_only', ...fields }, video),
    });
  };
  const restart = async ({ withoutDatabase = false } = {}): Promise<void> => {
    const { folder } = service;
    await service.close({ keepFolder: true });
    if (withoutDatabase) await rm(join(folder, 'jobs.duckdb'));
    service = await openService({ folder });
  };
  const idOf = async (answer: Response) => submitResponseSchema.parse(await answer.json()).job_id;

  it('returns the same job for a repeated submission, marked as a replay', async () => {
    const first = await submit('one');
    expect(first.headers.has('idempotent-replayed')).to.equal(false);
    const again = await submit('one', { fields: { frame_stride: '1' } });
    expect([first.status, again.status]).to.deep.equal([202, 202]);
    expect(again.headers.get('idempotent-replayed')).to.equal('true');
    expect(again.headers.get('location')).to.equal(first.headers.get('location'));
    expect(await idOf(again)).to.equal(await idOf(first));
    expect(await service.traces()).to.include({ rows: 1, queued: 1 });
    expect(await service.files()).to.have.lengthOf(2);
  });

  it('is rejected with another submission, which leaves nothing', async () => {
    await (await submit('one')).arrayBuffer();
    for (const other of [
      { video: Buffer.concat([VIDEO, Buffer.from('x')]) },
      { fields: { pipeline_id: 'yolo_ocr' } },
      { fields: { frame_stride: '2' } },
      { fields: { max_frames: '1' } },
    ]) {
      expect(await problemOf(await submit('one', other))).to.include({ status: 422, code: 'idempotency_mismatch' });
    }
    expect(await service.traces()).to.include({ rows: 1, queued: 1 });
    expect(await service.files()).to.have.lengthOf(2);
  });

  it('creates one job and one file for fifty concurrent submissions', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => submit('one')));
    const ids = await Promise.all(answers.map(idOf));
    expect(new Set(ids).size).to.equal(1);
    expect(answers.filter(({ headers }) => !headers.has('idempotent-replayed'))).to.have.lengthOf(1);
    expect(await service.traces()).to.include({ rows: 1, queued: 1 });
    expect(await service.files()).to.have.members([`${ids[0]}.mp4`, `${ids[0]}.json`]);
  });

  it('survives a restart, and the loss of the database in the sidecar', async () => {
    const jobId = await idOf(await submit('one'));
    await restart();
    expect(await idOf(await submit('one'))).to.equal(jobId);
    const text = await readFile(await service.storage.loadFile(`${jobId}.json`), 'utf8');
    expect(text).not.to.contain('"one"');
    await restart({ withoutDatabase: true });
    await service.recovery.restore(sidecarSchema.parse(JSON.parse(text)));
    const again = await submit('one');
    expect(again.headers.get('idempotent-replayed')).to.equal('true');
    expect(await idOf(again)).to.equal(jobId);
    expect((await submit('one', { fields: { frame_stride: '2' } })).status).to.equal(422);
  });

  it('stays in the sidecar of a job that has ended', async () => {
    const jobId = await idOf(await submit('one'));
    const submissionOf = async () =>
      sidecarSchema.parse(JSON.parse(await readFile(await service.storage.loadFile(`${jobId}.json`), 'utf8')))
        .submission;
    const before = await submissionOf();
    expect(before).not.to.equal(null);
    await service.engine.cancel(jobId);
    expect(await submissionOf()).to.deep.equal(before);
    expect(await idOf(await submit('one'))).to.equal(jobId);
  });

  it('is another key for another owner', async () => {
    await service.close();
    service = await openService({ keys: [keyOf('a'), keyOf('b')] });
    const [a, b] = [await idOf(await submit('one', { apiKey: 'a' })), await idOf(await submit('one', { apiKey: 'b' }))];
    expect(a).not.to.equal(b);
    expect(await idOf(await submit('one', { apiKey: 'a' }))).to.equal(a);
  });

  it('expires', async () => {
    await service.close();
    service = await openService({ idempotencyTtlMs: 1 });
    const first = await idOf(await submit('one'));
    while (Date.now() <= Date.parse((await jobIn(service.store, first)).createdAt) + 1) await new Promise(setImmediate);
    expect(await idOf(await submit('one', { fields: { frame_stride: '2' } }))).not.to.equal(first);
    await service.store.forgetSubmissions(new Date(Date.now() + 1_000).toISOString());
    const key = { owner: 'anonymous', keySha256: createHash('sha256').update('one').digest('hex') };
    expect(await service.store.submission(key, new Date(0).toISOString())).to.equal(undefined);
  });

  it('of a failed submission can be used again', async () => {
    expect((await submit('one', { video: Buffer.from('no video') })).status).to.equal(400);
    expect((await submit('one')).headers.has('idempotent-replayed')).to.equal(false);
  });

  it('is rejected if it is too long', async () => {
    expect(await problemOf(await submit('x'.repeat(256)))).to.include({ status: 422, code: 'invalid_request' });
    expect((await submit('x'.repeat(255))).status).to.equal(202);
  });
});
