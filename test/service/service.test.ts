import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createLog } from '../../src/log.ts';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { followJob, resultsOf, statusOf, submitVideo } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

describe('the service', function () {
  let folder: string;
  let dataDir: string;
  let videoPath: string;
  let service: ServiceProcess | undefined;
  const { signal } = new AbortController();

  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> => {
    service = await startService({
      dataDir,
      signal,
      settings: { LOG_LEVEL: 'warn', PIPELINE_THREADS: '1', ...settings },
    });
    return service;
  };
  const submit = ({ url }: ServiceProcess, frameStride = 1): Promise<JobId> =>
    submitVideo({ url, signal, videoPath, pipelineId: 'ocr_only', frameStride });
  const finish = ({ url }: ServiceProcess, jobId: JobId) => followJob(jobId, { url, signal }, () => {});

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-service-'));
    videoPath = join(folder, 'captions.mp4');
    makeVideo({
      path: videoPath,
      width: 640,
      height: 360,
      frames: 12,
      fps: 10,
      picture: 'color=color=gray',
      captions: [
        { text: 'PLATFORM 7', to: 5, size: 48, box: 'black' },
        { text: 'MIND THE GAP', from: 6, size: 48, box: 'black' },
      ],
    });
  });
  beforeEach(async () => {
    dataDir = await mkdtemp(join(folder, 'data-'));
  });
  afterEach(async () => {
    await service?.kill();
    service = undefined;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('turns a video into its text, frame by frame, and finds it again after a restart', async () => {
    const first = await start();
    const query = { url: first.url, signal };
    const jobId = await submitVideo({ ...query, videoPath, pipelineId: 'ocr_only', frameStride: 3 });
    const seen: number[] = [];
    const ended = await followJob(jobId, query, ({ progress }) => seen.push(progress));
    expect(ended).to.include({ job_id: jobId, status: 'completed', progress: 1 });
    expect(seen).to.deep.equal(seen.toSorted((a, b) => a - b));
    expect(new Date(ended.created_at).toISOString()).to.equal(ended.created_at);

    const frames = await resultsOf(jobId, query);
    expect(frames.map(({ frame_index: index }) => index)).to.deep.equal([0, 3, 6, 9]);
    expect(frames.map(({ result }) => result.timestamp_ms)).to.deep.equal([0, 300, 600, 900]);
    for (const [at, { result }] of frames.entries()) {
      expect(result.text).to.contain(at < 2 ? 'PLATFORM 7' : 'MIND THE GAP');
      const line = result.lines?.find(({ text: read }) => /PLATFORM|MIND/.test(read));
      const [x = 0, y = 0, width = 0, height = 0] = line?.bbox ?? [];
      // The caption is at 40, 40 and 48 pixels high.
      expect(x).to.be.within(20, 50);
      expect(y).to.be.within(20, 55);
      expect(width).to.be.within(200, 420);
      expect(height).to.be.within(25, 70);
    }

    const bytes = await (await fetch(`${first.url}/video/results/${jobId}`)).text();
    expect(await first.stop()).to.equal(0);
    const second = await start();
    expect(await statusOf(jobId, { url: second.url, signal })).to.deep.equal(ended);
    expect(await (await fetch(`${second.url}/video/results/${jobId}`)).text()).to.equal(bytes);
  });

  it('completes all three jobs in order and once after a kill while one runs and two wait', async () => {
    const first = await start();
    const all = [await submit(first), await submit(first, 12), await submit(first, 12)];
    await followUntil(first, all[0] ?? expect.fail(), 'running');
    await first.kill();

    const second = await start();
    for (const jobId of all) expect(await finish(second, jobId)).to.include({ status: 'completed' });
    expect(await second.stop()).to.equal(0);

    const store = await DuckDBJobStore.open({ path: join(dataDir, 'jobs.duckdb'), log: createLog('silent') });
    try {
      const histories = await Promise.all(all.map((jobId) => store.transitionsOf(jobIdSchema.parse(jobId))));
      for (const history of histories) {
        expect(history.map(({ seq }) => seq)).to.deep.equal(history.map((_, index) => index + 1));
        expect(history.filter(({ toState }) => toState === 'completed')).to.have.lengthOf(1);
      }
      expect(histories.map((history) => history.filter(({ event }) => event === 'INTERRUPT').length)).to.deep.equal([
        1, 0, 0,
      ]);
      const starts = histories.map((history) => history.findLast(({ event }) => event === 'START')?.occurredAt ?? '');
      expect(starts).to.deep.equal(starts.toSorted());
    } finally {
      await store.close();
    }
    const files = await readdir(join(dataDir, 'video_jobs'));
    expect(files.filter((name) => name.endsWith('_results.json'))).to.have.lengthOf(all.length);
    expect(await readdir(join(dataDir, 'video_jobs', 'incoming'))).to.deep.equal([]);
  });

  it('gives a job back without losing an attempt when it is stopped', async () => {
    const first = await start({ SHUTDOWN_GRACE_MS: '0', MAX_ATTEMPTS: '1' });
    const jobId = await submit(first);
    await followUntil(first, jobId, 'running');
    expect(await first.stop()).to.equal(0);
    const second = await start({ MAX_ATTEMPTS: '1' });
    expect(await finish(second, jobId)).to.include({ status: 'completed' });
  });

  it('fails a video that cannot be decoded, with the reason, and finishes the next one when it is stopped', async () => {
    const running = await start({ SHUTDOWN_GRACE_MS: '3600000' });
    const broken = join(folder, 'broken.mp4');
    await writeFile(
      broken,
      Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2'), Buffer.alloc(5000, 7)]),
    );
    const jobId = await submitVideo({ url: running.url, signal, videoPath: broken, pipelineId: 'ocr_only' });
    const ended = await finish(running, jobId);
    expect(ended).to.include({ status: 'failed', progress: 1, error_code: 'invalid_video' });
    expect(ended.error_message).to.match(/\w{3}/);
    const answer = await fetch(`${running.url}/video/results/${jobId}`);
    expect(answer.status).to.equal(404);
    expect(await answer.json())
      .to.have.property('detail')
      .that.matches(/failed/);

    const next = await submit(running);
    await followUntil(running, next, 'running');
    expect(await running.stop()).to.equal(0);
    expect(await readdir(join(dataDir, 'video_jobs'))).to.include(`${next}_results.json`);
  });

  it('names an invalid setting in one line and exits with 1', async () => {
    const child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, DATA_DIR: dataDir, PORT: 'http' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [printed, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect(code).to.equal(1);
    expect(printed).to.match(/^reelstate: .*PORT="http": must be a whole number\n$/);
  });

  async function followUntil(running: ServiceProcess, jobId: JobId, state: string): Promise<void> {
    const reached = new AbortController();
    const query = { url: running.url, signal: AbortSignal.any([signal, reached.signal]) };
    await followJob(jobId, query, ({ status }) => {
      if (status === state) reached.abort();
    }).catch((error: unknown) => {
      if (!reached.signal.aborted) throw error;
    });
  }
});
