import { expect } from 'chai';
import { rm } from 'node:fs/promises';
import {
  form,
  openService,
  problemOf,
  VIDEO,
  type ServiceSettings,
  type ServiceUnderTest,
} from './service-under-test.ts';

/** Returns whether a submission would be rejected, and the response of the service. */
describe('GET /ready', () => {
  let service: ServiceUnderTest;
  const opened = async (settings: ServiceSettings = {}): Promise<void> => {
    service = await openService(settings);
  };
  afterEach(() => service.close());

  const submit = (): Promise<Response> =>
    fetch(`${service.url}/video/submit`, { method: 'POST', body: form({ pipeline_id: 'ocr_only' }, VIDEO) });
  const reason = async (): Promise<string> => {
    const response = await fetch(`${service.url}/ready`);
    expect(response.headers.get('retry-after')).to.match(/^\d+$/);
    const problem = await problemOf(response);
    expect(problem).to.include({ status: 503, code: 'not_ready' });
    return problem.detail;
  };

  it('is 200 while submissions are accepted', async () => {
    await opened();
    expect((await fetch(`${service.url}/ready`)).status).to.equal(200);
    expect((await submit()).status).to.equal(202);
  });

  it('is 503 when the queue is full, and 200 when a job is cancelled', async () => {
    await opened({ maxPending: 1 });
    const { job_id: jobId } = Object(await (await submit()).json());
    expect(await reason()).to.contain('jobs are pending');
    expect((await submit()).status).to.equal(503);
    await fetch(`${service.url}/video/cancel/${jobId}`, { method: 'POST' });
    expect((await fetch(`${service.url}/ready`)).status).to.equal(200);
  });

  it('is 503 when the disk has no more than its reserve', async () => {
    await opened({ diskReserveBytes: Number.MAX_SAFE_INTEGER });
    expect(await reason()).to.contain('not enough disk space');
    expect((await submit()).status).to.equal(507);
  });

  it('is 503 when no upload can be written, without a path', async () => {
    await opened();
    await rm(service.storage.incomingDir, { recursive: true });
    expect(await reason()).not.to.contain(service.folder);
    const refused = await submit();
    expect(await problemOf(refused)).to.include({ status: 503, code: 'storage_unavailable' });
  });

  it('is 503 when the database does not respond', async () => {
    await opened();
    await service.closeStore();
    await reason();
    expect((await submit()).status).to.equal(503);
  });
});
