import { expect } from 'chai';
import { jobMachine } from '../../machines/job.ts';
import { toMermaid } from '../../machines/mermaid.ts';
import { activityResponseSchema, type StateValue } from '../../src/http/routes/activity.ts';
import { machineResponseSchema } from '../../src/http/routes/machines.ts';
import { openService, problemOf, type ServiceUnderTest } from './service-under-test.ts';

describe('the machines over HTTP', () => {
  let service: ServiceUnderTest;
  let workers: readonly StateValue[] = [];
  before(async () => {
    service = await openService({ workers: () => workers });
  });
  after(() => service.close());

  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(service.url + path, { headers });

  describe('GET /machines', () => {
    it('lists them with the version of their snapshots', async () => {
      expect(await (await get('/machines')).json()).to.deep.equal({
        machines: [
          { id: 'job', version: 1, href: '/machines/job' },
          { id: 'worker', version: null, href: '/machines/worker' },
        ],
      });
    });
  });

  describe('GET /machines/{id}', () => {
    it('is the running definition as JSON', async () => {
      const { id, version, definition } = machineResponseSchema.parse(await (await get('/machines/job')).json());
      expect([id, version]).to.deep.equal(['job', 1]);
      expect(definition).to.deep.equal(JSON.parse(JSON.stringify(jobMachine)));
      const worker = machineResponseSchema.parse(await (await get('/machines/worker')).json());
      expect(Object.keys(Object(worker.definition['states']))).to.deep.equal(['intake', 'work']);
    });

    it('is Mermaid text on request, by a parameter or by Accept', async () => {
      const asked = [await get('/machines/job?format=mermaid'), await get('/machines/job', { accept: 'text/plain' })];
      for (const answer of asked) {
        expect(answer.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
        expect(await answer.text()).to.equal(toMermaid(jobMachine));
      }
      const json = await get('/machines/job?format=json', { accept: 'text/plain' });
      expect(json.headers.get('content-type')).to.contain('application/json');
      expect(json.headers.get('vary')).to.contain('Accept');
    });

    it('responds with 304 to a client that has it', async () => {
      const tag = (await get('/machines/job')).headers.get('etag') ?? '';
      expect((await get('/machines/job', { 'if-none-match': tag })).status).to.equal(304);
      expect((await get('/machines/worker', { 'if-none-match': tag })).status).to.equal(200);
    });

    it('rejects an unknown machine and an unknown format', async () => {
      expect(await problemOf(await get('/machines/queue'))).to.include({ code: 'machine_not_found', status: 404 });
      expect((await problemOf(await get('/machines/job?format=xml'))).code).to.equal('invalid_request');
    });
  });

  describe('GET /machines/activity', () => {
    const activity = async () => activityResponseSchema.parse(await (await get('/machines/activity')).json());

    it('returns counts, recent transitions and the state of each worker', async () => {
      workers = [{ intake: 'open', work: 'resting' }];
      const jobId = await service.submit();
      await service.engine.dispatch(jobId, { type: 'START' });
      const { counts, transitions, workers: present } = await activity();
      expect(counts.running).to.equal(1);
      expect(present).to.deep.equal(workers);
      expect(transitions.slice(-2).map(({ job_id: id, event }) => [id, event])).to.deep.equal([
        [jobId, 'SUBMIT'],
        [jobId, 'START'],
      ]);
    });

    it('keeps the last 64 transitions', async () => {
      for (let index = 0; index < 40; index += 1) await service.engine.cancel(await service.submit());
      const { transitions } = await activity();
      expect(transitions).to.have.lengthOf(64);
      expect(transitions.at(-1)?.event).to.equal('CANCEL');
    });

    it('responds with 304 until a job or a worker changes', async () => {
      const tag = (await get('/machines/activity')).headers.get('etag') ?? '';
      const again = (): Promise<Response> => get('/machines/activity', { 'if-none-match': tag });
      expect((await again()).status).to.equal(304);
      workers = [{ intake: 'open', work: 'claiming' }];
      expect((await again()).status).to.equal(200);
      workers = [{ intake: 'open', work: 'resting' }];
      expect((await again()).status).to.equal(304);
      await service.submit();
      expect((await again()).status).to.equal(200);
    });
  });
});
