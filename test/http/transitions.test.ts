import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { transitionsResponseSchema } from '../../src/http/routes/transitions.ts';
import { openService, problemOf, type ServiceUnderTest } from './service-under-test.ts';

describe('GET /video/jobs/{job_id}/transitions', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService();
  });
  after(() => service.close());

  const get = (jobId: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${service.url}/video/jobs/${jobId}/transitions`, init);

  it('has every transition of a job that was interrupted and restarted', async () => {
    const jobId = await service.submit();
    await service.engine.dispatch(jobId, { type: 'START' });
    await service.engine.dispatch(jobId, { type: 'INTERRUPT', attempt: 1, code: 'stalled', message: 'no frame came' });
    await service.engine.dispatch(jobId, { type: 'START' });
    await service.engine.dispatch(jobId, { type: 'FAIL', attempt: 2, code: 'invalid_video', message: 'no picture' });
    const { job, transitions } = transitionsResponseSchema.parse(await (await get(jobId)).json());
    expect(job.status).to.equal('failed');
    expect(transitions.map(({ seq, attempt, from, event, to }) => [seq, attempt, from, event, to])).to.deep.equal([
      [1, 0, null, 'SUBMIT', 'pending'],
      [2, 1, 'pending', 'START', 'running'],
      [3, 1, 'running', 'INTERRUPT', 'pending'],
      [4, 2, 'pending', 'START', 'running'],
      [5, 2, 'running', 'FAIL', 'failed'],
    ]);
    expect(transitions.at(-1)?.context).to.deep.equal({
      attempt: 2,
      interruptions: 1,
      maxAttempts: 3,
      outputPath: null,
      errorCode: 'invalid_video',
      errorMessage: 'no picture',
    });
    expect(transitions.at(-1)?.occurred_at).to.equal(job.updated_at);
  });

  it('responds with 304 until this job changes, while others change', async () => {
    const jobId = await service.submit();
    const tag = (await get(jobId)).headers.get('etag') ?? '';
    await service.submit();
    expect((await get(jobId, { headers: { 'if-none-match': tag } })).status).to.equal(304);
    await service.engine.cancel(jobId);
    expect((await get(jobId, { headers: { 'if-none-match': tag } })).status).to.equal(200);
  });

  it('is 404 for an unknown job', async () => {
    expect((await problemOf(await get(uuidv7()))).code).to.equal('job_not_found');
    expect((await problemOf(await get('none'))).code).to.equal('job_not_found');
  });
});
