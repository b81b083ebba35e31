import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { deletionResponseSchema } from '../../src/http/routes/delete-files.ts';
import type { JobId } from '../../src/job.ts';
import { openService, problemOf, type ServiceUnderTest } from './service-under-test.ts';

describe('DELETE /video/jobs/{job_id}', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService();
  });
  after(() => service.close());

  const completed = async (): Promise<JobId> => {
    const jobId = await service.submit();
    await service.engine.dispatch(jobId, { type: 'START' });
    const outputPath = `${jobId}_results.json`;
    await writeFile(join(service.folder, 'video_jobs', outputPath), '{"results": []}\n');
    await service.engine.dispatch(jobId, { type: 'COMPLETE', attempt: 1, outputPath });
    return jobId;
  };
  const remove = (jobId: string) => fetch(`${service.url}/video/jobs/${jobId}`, { method: 'DELETE' });
  const get = (path: string) => fetch(service.url + path);
  const filesOf = async (jobId: JobId) =>
    (await readdir(join(service.folder, 'video_jobs'))).filter((name) => name.startsWith(jobId)).toSorted();

  it('deletes the video and the results of a completed job, after which the results are 410 with a date', async () => {
    const jobId = await completed();
    const status = await (await get(`/video/status/${jobId}`)).text();
    const answer = await remove(jobId);
    expect(answer.status).to.equal(200);
    const { job_id: told, deleted_at: deletedAt } = deletionResponseSchema.parse(await answer.json());
    expect(told).to.equal(jobId);
    expect(Math.abs(Date.now() - Date.parse(deletedAt))).to.be.below(60_000);
    expect(await filesOf(jobId)).to.deep.equal([`${jobId}.json`]);

    const gone = await problemOf(await get(`/video/results/${jobId}`));
    expect(gone).to.include({ status: 410, code: 'results_expired' });
    expect(gone.detail).to.contain(deletedAt);
    expect(await problemOf(await get(`/video/source/${jobId}`))).to.include({ status: 410, code: 'video_missing' });
    expect(await (await get(`/video/status/${jobId}`)).text()).to.equal(status);
    expect((await get(`/video/jobs/${jobId}/transitions`)).status).to.equal(200);
  });

  it('responds the same to repeated and concurrent requests', async () => {
    const jobId = await completed();
    const answers = await Promise.all(Array.from({ length: 20 }, () => remove(jobId)));
    answers.push(await remove(jobId.toUpperCase()));
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
    expect(new Set(await Promise.all(answers.map((answer) => answer.text())))).to.have.lengthOf(1);
  });

  it('deletes the video of a job that failed or was cancelled', async () => {
    const cancelled = await service.submit();
    await service.engine.cancel(cancelled);
    const failed = await service.submit();
    await service.engine.dispatch(failed, { type: 'START' });
    await service.engine.dispatch(failed, { type: 'FAIL', attempt: 1, code: 'invalid_video', message: 'no frame' });
    for (const jobId of [cancelled, failed]) {
      expect((await remove(jobId)).status).to.equal(200);
      expect(await filesOf(jobId)).to.deep.equal([`${jobId}.json`]);
      const refused = await problemOf(await get(`/video/results/${jobId}`));
      expect(refused).to.include({ status: 404, code: 'job_not_completed' });
    }
  });

  it('is rejected while the job is pending or running, without deleting anything', async () => {
    const waiting = await service.submit();
    const running = await service.submit();
    await service.engine.dispatch(running, { type: 'START' });
    for (const jobId of [waiting, running]) {
      expect(await problemOf(await remove(jobId))).to.include({ status: 409, code: 'job_conflict' });
      expect(await filesOf(jobId)).to.deep.equal([`${jobId}.json`, `${jobId}.mp4`]);
    }
  });

  it('is 404 for an unknown id', async () => {
    for (const id of [uuidv7(), 'x', '%00']) {
      expect(await problemOf(await remove(id))).to.include({ status: 404, code: 'job_not_found' });
    }
  });
});
