import { expect } from 'chai';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inputPathOf } from '../../src/engine/sidecar.ts';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import { jobIn } from '../job-in.ts';
import { form, openService, problemOf, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

describe('POST /video/jobs/{job_id}/rerun', () => {
  let service: ServiceUnderTest;
  beforeEach(async () => {
    service = await openService({ maxPending: 3 });
  });
  afterEach(() => service.close());

  const idOf = async (response: Response): Promise<JobId> => {
    expect(response.status).to.equal(202);
    return submitResponseSchema.parse(await response.json()).job_id;
  };
  const submitted = async (fields: Record<string, string> = {}): Promise<JobId> =>
    idOf(
      await fetch(`${service.url}/video/submit`, {
        method: 'POST',
        body: form({ pipeline_id: 'ocr_only', ...fields }, VIDEO, 'a film.mp4'),
      }),
    );
  const rerun = (jobId: string, query = '', headers: Record<string, string> = {}) =>
    fetch(`${service.url}/video/jobs/${jobId}/rerun${query}`, { method: 'POST', headers });
  const video = (jobId: JobId) => join(service.folder, 'video_jobs', inputPathOf(jobId));

  it('creates a job of the same video with the same parameters, and stores its bytes once', async () => {
    const first = await submitted({
      sample_every_ms: '500',
      region: '0,0.5,1,0.5',
      keyframes_only: 'true',
      tag: 'one',
    });
    const response = await rerun(first);
    const second = await idOf(response.clone());
    expect(response.headers.get('location')).to.equal(`/video/status/${second}`);
    expect(second).not.to.equal(first);
    const jobs = [await jobIn(service.store, first), await jobIn(service.store, second)];
    const [before, after] = jobs.map(({ pipelineId, options, fileName, tag, status }) => ({
      pipelineId,
      options,
      fileName,
      tag,
      status,
    }));
    expect(after).to.deep.equal(before);
    expect(after).to.include({ fileName: 'a film.mp4', tag: 'one', status: 'pending' });
    expect(service.queue.size()).to.equal(2);
    expect((await readFile(video(second))).equals(VIDEO)).to.equal(true);
    expect((await stat(video(second))).ino).to.equal((await stat(video(first))).ino);
  });

  it('replaces parameters of the job by given ones', async () => {
    const first = await submitted({ sample_every_ms: '500', from_ms: '100', keyframes_only: 'true' });
    const query = '?pipeline_id=yolo_ocr&frame_stride=3&keyframes_only=false&region=0,0,1,0.25&tag=two';
    const { pipelineId, options, tag } = await jobIn(service.store, await idOf(await rerun(first, query)));
    expect({ pipelineId, options, tag }).to.deep.equal({
      pipelineId: 'yolo_ocr',
      options: { frame_stride: 3, from_ms: 100, region: [0, 0, 1, 0.25] },
      tag: 'two',
    });
  });

  it('keeps the video of the new job when that of the first is deleted', async () => {
    const first = await submitted();
    const second = await idOf(await rerun(first));
    await service.engine.cancel(first);
    await service.engine.deleteFiles(first);
    expect((await readFile(video(second))).equals(VIDEO)).to.equal(true);
    expect(await problemOf(await rerun(first))).to.include({ status: 410, code: 'video_missing' });
    await rm(video(second));
    expect(await problemOf(await rerun(second))).to.include({ status: 410, code: 'video_missing' });
  });

  it('counts once under one Idempotency-Key, which it shares with no other job', async () => {
    const first = await submitted();
    const key = { 'Idempotency-Key': 'again' };
    const second = await idOf(await rerun(first, '', key));
    const repeated = await rerun(first, '', key);
    expect(repeated.headers.get('idempotent-replayed')).to.equal('true');
    expect(await idOf(repeated)).to.equal(second);
    for (const other of [await rerun(first, '?frame_stride=2', key), await rerun(second, '', key)]) {
      expect(await problemOf(other)).to.include({ status: 422, code: 'idempotency_mismatch' });
    }
    expect(await service.traces()).to.include({ rows: 2 });
  });

  it('rejects like a submission, and leaves nothing', async () => {
    const unknown = jobIdSchema.parse('019ddddd-0000-7000-8000-000000000000');
    expect(await problemOf(await rerun(unknown))).to.include({ status: 404, code: 'job_not_found' });
    const first = await submitted({ from_ms: '5000' });
    const traces = await service.traces();
    for (const [query, code] of [
      ['?pipeline_id=none', 'unknown_pipeline'],
      ['?to_ms=4000', 'invalid_request'],
      ['?frame_stride=0', 'invalid_request'],
      ['?frame_stride=2&sample_every_ms=9', 'invalid_request'],
    ] as const) {
      expect(await problemOf(await rerun(first, query)), query).to.include({ code });
    }
    expect(await service.traces()).to.deep.equal(traces);
    await idOf(await rerun(first));
    await idOf(await rerun(first));
    expect(await problemOf(await rerun(first))).to.include({ status: 503, code: 'queue_full' });
  });
});
