import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import { form, openService, problemOf, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

describe('GET /metrics', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService();
  });
  after(() => service.close());

  const samples = async (): Promise<ReadonlyMap<string, number>> => {
    const answer = await fetch(`${service.url}/metrics`);
    expect(answer.headers.get('content-type')).to.match(/^text\/plain; version=/);
    const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
  };

  it('counts requests by route, jobs by state, time in each state and the queue', async () => {
    const body = form({ pipeline_id: 'ocr_only' }, VIDEO);
    const answer = await fetch(`${service.url}/video/submit`, { method: 'POST', body });
    const { job_id: jobId } = submitResponseSchema.parse(await answer.json());
    await service.engine.dispatch(jobId, { type: 'START' });
    await (await fetch(`${service.url}/video/status/${jobId}`)).arrayBuffer();
    await (await fetch(`${service.url}/nothing/at/all`)).arrayBuffer();
    const found = await samples();
    const requests = (labels: string) => found.get(`reelstate_request_duration_seconds_count{${labels}}`);
    expect(requests('method="POST",route="/video/submit",status="202"')).to.equal(1);
    expect(requests('method="GET",route="/video/status/:job_id",status="200"')).to.equal(1);
    expect(requests('method="GET",route="none",status="404"')).to.equal(1);
    expect(found.get('reelstate_jobs{status="running"}')).to.equal(1);
    expect(found.get('reelstate_jobs{status="pending"}')).to.equal(0);
    expect(found.get('reelstate_queue_length')).to.equal(1);
    const state = 'reelstate_job_state_duration_seconds_count{from="pending",event="START",to="running"}';
    expect(found.get(state)).to.equal(1);
    for (const name of [
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds',
      'reelstate_child_restarts_total',
      'reelstate_search_videos',
      'reelstate_search_complete',
    ]) {
      expect(found.has(name), name).to.equal(true);
    }
  });

  it('has one series per route, for any number of paths', async () => {
    const before = (await samples()).size;
    for (let n = 0; n < 50; n += 1) await (await fetch(`${service.url}/video/status/${n}`)).arrayBuffer();
    await samples();
    const series = [...(await samples()).keys()].filter((name) =>
      name.startsWith('reelstate_request_duration_seconds_count'),
    );
    expect(series.filter((name) => name.includes('status'))).to.have.lengthOf(series.length);
    expect((await samples()).size - before).to.be.below(100);
  });

  it('needs a key with the scope admin', async () => {
    const other = await openService({
      keys: [{ sha256: createHash('sha256').update('reader').digest('hex'), scopes: ['read', 'submit'] }],
    });
    try {
      expect(await problemOf(await fetch(`${other.url}/metrics`))).to.include({ status: 401 });
      const headers = { 'X-API-Key': 'reader' };
      expect(await problemOf(await fetch(`${other.url}/metrics`, { headers }))).to.include({ status: 403 });
    } finally {
      await other.close();
    }
  });
});

describe('GET /health', () => {
  it('fails when a worker is dead', async () => {
    let dead = 0;
    const service = await openService({ deadWorkers: () => dead });
    try {
      expect((await fetch(`${service.url}/health`)).status).to.equal(200);
      dead = 1;
      const problem = await problemOf(await fetch(`${service.url}/health`));
      expect(problem).to.include({ status: 503, code: 'worker_dead' });
    } finally {
      await service.close();
    }
  });
});
