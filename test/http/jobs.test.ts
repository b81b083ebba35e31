import { expect } from 'chai';
import { jobResponseSchema } from '../../src/http/routes/job.ts';
import { jobsResponseSchema } from '../../src/http/routes/jobs.ts';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import { form, openService, problemOf, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

describe('GET /video/jobs', () => {
  let service: ServiceUnderTest;
  let jobs: readonly JobId[];
  before(async () => {
    service = await openService();
    const accepted: JobId[] = [];
    for (let index = 0; index < 7; index += 1) {
      const fields = { pipeline_id: index % 2 === 0 ? 'ocr_only' : 'yolo_ocr', frame_stride: '3', tag: `tag ${index}` };
      const body = form(fields, VIDEO, `C:\\videos\\clip \u202E${index}.mp4`);
      const answer = await fetch(`${service.url}/video/submit`, { method: 'POST', body });
      accepted.push(submitResponseSchema.parse(await answer.json()).job_id);
    }
    jobs = accepted.toReversed();
    await service.engine.dispatch(jobIdSchema.parse(accepted[0]), { type: 'START' });
    await service.engine.cancel(jobIdSchema.parse(accepted[1]));
  });
  after(() => service.close());

  const get = (query = '', init: RequestInit = {}): Promise<Response> =>
    fetch(`${service.url}/video/jobs${query}`, init);
  const list = async (query = '') => jobsResponseSchema.parse(await (await get(query)).json());

  it('lists jobs with options and state, newest first', async () => {
    const { jobs: listed, counts, next_cursor: cursor } = await list();
    expect(listed.map(({ job_id: id }) => id)).to.deep.equal(jobs);
    expect(counts).to.deep.equal({ pending: 5, running: 1, completed: 0, failed: 1 });
    expect(cursor).to.equal(null);
    const { created_at: createdAt, updated_at: updatedAt, ...rest } = listed.at(-2) ?? {};
    expect([createdAt, updatedAt]).to.satisfy((times: readonly string[]) =>
      times.every((time) => Date.parse(time) > 0),
    );
    expect(rest).to.deep.equal({
      job_id: jobs.at(-2),
      status: 'failed',
      progress: 1,
      error_code: 'cancelled',
      error_message: 'cancelled before it started',
      pipeline_id: 'yolo_ocr',
      options: { frame_stride: 3 },
      attempt: 0,
      file_name: 'clip 1.mp4',
      tag: 'tag 1',
      deleted_at: null,
    });
  });

  it('filters by tag and by a part of the file name', async () => {
    expect((await list('?tag=tag%203')).jobs.map(({ file_name: name }) => name)).to.deep.equal(['clip 3.mp4']);
    expect((await list('?file_name=CLIP%204')).jobs.map(({ tag }) => tag)).to.deep.equal(['tag 4']);
    expect((await list('?file_name=clip&limit=100')).jobs).to.have.lengthOf(7);
    expect((await list('?tag=tag')).jobs).to.deep.equal([]);
  });

  it('filters by state and by pipeline, and still counts all jobs', async () => {
    const running = await list('?status=running');
    expect(running.jobs.map(({ job_id: id }) => id)).to.deep.equal([jobs.at(-1)]);
    expect(running.counts.pending).to.equal(5);
    expect((await list('?pipeline_id=yolo_ocr&status=pending')).jobs.map(({ job_id: id }) => id)).to.deep.equal(
      [1, 3].map((index) => jobs[index]),
    );
    expect((await list('?pipeline_id=unheard_of')).jobs).to.deep.equal([]);
  });

  it('pages through all jobs once while jobs are accepted', async () => {
    const seen: JobId[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await list(`?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.jobs.length).to.be.at.most(3);
      seen.push(...page.jobs.map(({ job_id: id }) => id));
      cursor = page.next_cursor;
    }
    expect(seen).to.deep.equal(jobs);
  });

  it('responds with 304 without a body until a job changes', async () => {
    const tag = (await get()).headers.get('etag') ?? '';
    const idle = await get('', { headers: { 'if-none-match': tag } });
    expect([idle.status, await idle.text(), idle.headers.get('etag')]).to.deep.equal([304, '', tag]);
    await service.engine.dispatch(jobIdSchema.parse(jobs.at(-1)), { type: 'RELEASE', attempt: 1 });
    const changed = await get('', { headers: { 'if-none-match': tag } });
    expect(changed.status).to.equal(200);
    expect(changed.headers.get('etag')).not.to.equal(tag);
    expect(changed.headers.get('cache-control')).to.equal('private, no-cache');
  });

  it('rejects invalid filters', async () => {
    for (const query of ['?status=lost', '?limit=0', '?limit=201', '?limit=x', '?cursor=-1', '?cursor=abc']) {
      expect((await problemOf(await get(query))).code, query).to.equal('invalid_request');
    }
  });

  it('returns one job with the facts about its video', async () => {
    const [jobId] = jobs;
    const answer = await fetch(`${service.url}/video/jobs/${jobId}`);
    const job = jobResponseSchema.parse(await answer.json());
    expect(job).to.include({ job_id: jobId, file_name: 'clip 6.mp4', tag: 'tag 6', status: 'pending' });
    expect(Object.values(job.media).every((fact) => fact === null)).to.equal(true);
    const media = { ...job.media, width: 320, codec: 'h264' };
    const { attempt } = await service.engine.dispatch(jobIdSchema.parse(jobId), { type: 'START' });
    await service.engine.dispatch(jobIdSchema.parse(jobId), { type: 'COMPLETE', attempt, outputPath: 'x', media });
    const completed = jobResponseSchema.parse(await (await fetch(`${service.url}/video/jobs/${jobId}`)).json());
    expect(completed.media).to.deep.equal(media);
    const etag = answer.headers.get('etag') ?? '';
    expect((await fetch(`${service.url}/video/jobs/${jobId}`, { headers: { 'if-none-match': etag } })).status).to.equal(
      200,
    );
    expect((await problemOf(await fetch(`${service.url}/video/jobs/none`))).code).to.equal('job_not_found');
  });
});
