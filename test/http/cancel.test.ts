import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { statusResponseSchema } from '../../src/http/schemas.ts';
import type { JobId } from '../../src/job.ts';
import { openService, problemOf, type ServiceUnderTest } from './service-under-test.ts';
import { jobIn } from '../job-in.ts';

describe('POST /video/cancel/{job_id}', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService();
  });
  after(() => service.close());

  const started = async (): Promise<JobId> => {
    const jobId = await service.submit();
    await service.engine.dispatch(jobId, { type: 'START' });
    return jobId;
  };
  const cancel = (jobId: string) => fetch(`${service.url}/video/cancel/${jobId}`, { method: 'POST' });

  it('cancels a pending or running job and returns its status; idempotent', async () => {
    for (const jobId of [await service.submit(), await started()]) {
      const first = await cancel(jobId);
      const text = await first.text();
      expect(first.status).to.equal(200);
      expect(statusResponseSchema.parse(JSON.parse(text))).to.include({
        job_id: jobId,
        status: 'failed',
        progress: 1,
        error_code: 'cancelled',
      });
      const again = await cancel(jobId);
      expect([again.status, await again.text()]).to.deep.equal([200, text]);
      expect(await (await fetch(`${service.url}/video/status/${jobId}`)).text()).to.equal(text);
    }
  });

  it('does not change a job that ended in another way', async () => {
    const completed = await started();
    const outputPath = `${completed}_results.json`;
    await service.engine.dispatch(completed, { type: 'COMPLETE', attempt: 1, outputPath });
    const failed = await started();
    await service.engine.dispatch(failed, { type: 'FAIL', attempt: 1, code: 'invalid_video', message: 'no frame' });
    for (const jobId of [completed, failed]) {
      expect(await problemOf(await cancel(jobId))).to.include({ status: 409, code: 'job_conflict' });
    }
    expect((await jobIn(service.store, failed)).errorCode).to.equal('invalid_video');
  });

  it('is 404 for an unknown id', async () => {
    for (const id of [uuidv7(), 'x', '%00']) {
      expect(await problemOf(await cancel(id))).to.include({ status: 404, code: 'job_not_found' });
    }
  });

  it('ends the job once for concurrent requests', async () => {
    const jobId = await started();
    const answers = await Promise.all(Array.from({ length: 20 }, () => cancel(jobId)));
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    const history = await service.store.transitionsOf(jobId);
    expect(history.filter(({ event }) => event === 'CANCEL')).to.have.lengthOf(1);
  });
});
