import { expect } from 'chai';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobId } from '../../src/job.ts';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import { form, openService, problemOf, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

describe('a stored file deleted between lookup and open', () => {
  let service: ServiceUnderTest;
  let folder: string;
  let jobId: JobId;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gone-'));
    service = await openService();
    const body = form({ pipeline_id: 'ocr_only' }, VIDEO);
    const submitted = await fetch(`${service.url}/video/submit`, { method: 'POST', body });
    ({ job_id: jobId } = submitResponseSchema.parse(await submitted.json()));
    await service.engine.start(jobId);
    await service.engine.dispatch(jobId, { type: 'COMPLETE', attempt: 1, outputPath: `${jobId}_results.json` });
    Object.assign(service.storage, { loadFile: async () => join(folder, 'gone') });
  });
  after(async () => {
    await service.close();
    await rm(folder, { recursive: true });
  });

  it('is 410 for a video and for results', async () => {
    const video = await fetch(`${service.url}/video/source/${jobId}`);
    expect(await problemOf(video)).to.include({ status: 410, code: 'video_missing' });
    const results = await fetch(`${service.url}/video/results/${jobId}`);
    expect(await problemOf(results)).to.include({ status: 410, code: 'results_expired' });
  });
});

it('a video requested in every way keeps no file open', async () => {
  const service = await openService();
  try {
    const body = form({ pipeline_id: 'ocr_only' }, Buffer.concat([VIDEO, Buffer.alloc(200_000)]));
    const submitted = await fetch(`${service.url}/video/submit`, { method: 'POST', body });
    const { job_id: jobId } = submitResponseSchema.parse(await submitted.json());
    const path = await service.storage.loadFile(`${jobId}.mp4`);
    const address = `${service.url}/video/source/${jobId}`;
    for (let round = 0; round < 20; round += 1) {
      await fetch(address, { method: 'HEAD' });
      await (await fetch(address)).arrayBuffer();
      await (await fetch(address, { headers: { range: 'bytes=5-10' } })).arrayBuffer();
      await (await fetch(address, { headers: { range: 'bytes=900000-' } })).arrayBuffer();
      await fetch(address, { headers: { 'if-none-match': `"${jobId}"` } });
      const given = new AbortController();
      const broken = await fetch(address, { signal: given.signal });
      given.abort();
      await broken.arrayBuffer().catch(() => undefined);
    }
    while ((await openFiles()).includes(path)) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    await service.close();
  }
});

/** Returns the paths of the files that this process has open. */
async function openFiles(): Promise<string[]> {
  const names = await readdir('/proc/self/fd');
  return Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
}
