import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { followJob, statusOf, submitVideo } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';

describe('the real service over HTTP', function () {
  let folder: string;
  let service: ServiceProcess | undefined;
  const { signal } = new AbortController();

  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> => {
    service = await startService({
      dataDir: join(folder, 'data'),
      signal,
      settings: { PIPELINE_THREADS: '1', ...settings },
    });
    return service;
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-edge-'));
  });
  afterEach(async () => {
    await service?.kill();
    service = undefined;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Returns the ids of the living child processes of the service. */
  const childrenOf = async ({ pid }: ServiceProcess): Promise<readonly string[]> =>
    (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');

  it('ends the process of a job that is cancelled while it runs, and goes on to the next job', async function () {
    if (process.platform !== 'linux') this.skip();
    const videoPath = join(folder, 'long.mp4');
    makeVideo({ path: videoPath, width: 1280, height: 720, frames: 200, fps: 10 });
    const running = await start();
    const query = { url: running.url, signal };
    const [pid = ''] = await childrenOf(running);
    const jobId = await submitVideo({ ...query, videoPath, pipelineId: 'yolo_ocr' });
    const seen = new AbortController();
    await followJob(jobId, { ...query, signal: AbortSignal.any([signal, seen.signal]) }, ({ status }) => {
      if (status === 'running') seen.abort();
    }).catch((error: unknown) => {
      if (!seen.signal.aborted) throw error;
    });
    const answer = await fetch(`${running.url}/video/cancel/${jobId}`, { method: 'POST' });
    expect(answer.status).to.equal(200);
    expect(await statusOf(jobId, query)).to.include({ status: 'failed', error_code: 'cancelled' });
    while ((await childrenOf(running)).includes(pid)) await new Promise(setImmediate);
    const short = await submitVideo({ ...query, videoPath, pipelineId: 'ocr_only', frameStride: 200 });
    expect(await followJob(short, query, () => {})).to.include({ status: 'completed' });
  });

  it('requires the configured keys, and reveals none of them', async () => {
    const running = await start({ API_KEYS: 'the-key-of-everything,the-key-of-readers:read', LOG_LEVEL: 'trace' });
    const status = async (key?: string) => {
      const headers = key === undefined ? {} : { 'x-api-key': key };
      const answer = await fetch(`${running.url}/metrics`, { headers });
      const text = await answer.text();
      expect(text).not.to.contain('the-key-of');
      return answer.status;
    };
    expect([await status(), await status('the-key-of-readers'), await status('the-key-of-everything')]).to.deep.equal([
      401, 403, 200,
    ]);
    expect((await fetch(`${running.url}/health`)).status).to.equal(200);
    expect(running.lines.join('\n')).not.to.contain('the-key-of');
  });

  it('hides its keys and its memory from other processes of its user', async function () {
    if (process.platform !== 'linux') this.skip();
    const running = await start({ API_KEYS: 'the-key-of-everything', LANG: 'C' });
    const health = await (await fetch(`${running.url}/health`)).json();
    expect(health).to.have.property('isolation').that.includes('untraceable');
    expect(health).to.have.property('ffmpeg').that.matches(/^8\.1/);
    // Root may read it, and finds no key.
    const environment = await readFile(`/proc/${running.pid}/environ`, 'latin1').catch(() => undefined);
    expect(environment === undefined).to.equal(process.getuid?.() !== 0);
    expect(environment ?? '').not.to.contain('the-key-of');
  });

  it('warns at the start if it needs no keys', async () => {
    const running = await start({ ALLOW_ANONYMOUS: 'true' });
    expect(running.lines.join('\n')).to.contain('ALLOW_ANONYMOUS');
    expect((await fetch(`${running.url}/pipelines`)).status).to.equal(200);
  });
});
