import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import type { JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { followJob, statusOf, submitVideo } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';
import { FILE_HEAD, multipart, MULTIPART } from '../http/service-under-test.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const LOOK_EVERY_MS = 20;
const HOUR_MS = '3600000';

describe('a stopped service', function () {
  let folder: string;
  let dataDir: string;
  let shortVideo: string;
  let longVideo: string;
  let service: ServiceProcess | undefined;
  const { signal } = new AbortController();

  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> => {
    service = await startService({ dataDir, signal, settings: { PIPELINE_THREADS: '1', ...settings } });
    return service;
  };
  const submit = ({ url }: { readonly url: string }, videoPath: string): Promise<JobId> =>
    submitVideo({ url, signal, videoPath, pipelineId: 'ocr_only' });
  const finish = ({ url }: { readonly url: string }, jobId: JobId) => followJob(jobId, { url, signal }, () => {});
  const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await holds())) await wait(LOOK_EVERY_MS);
  };
  /** Resolves when it accepts no connection any more, which means that it received the signal. */
  const refuses = (url: string) => () =>
    fetch(`${url}/health`, { headers: { connection: 'close' } }).then(
      () => false,
      () => true,
    );

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-signals-'));
    shortVideo = join(folder, 'short.mp4');
    longVideo = join(folder, 'long.mp4');
    makeVideo({ path: shortVideo, width: 96, height: 64, frames: 2 });
    // Every frame differs, so every one is analysed.
    makeVideo({ path: longVideo, width: 320, height: 192, frames: 1000, encoderOptions: { g: 250 } });
  });
  beforeEach(async () => {
    dataDir = await mkdtemp(join(folder, 'data-'));
  });
  afterEach(async () => {
    await service?.kill();
    service = undefined;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('exits at once on a second signal, and loses nothing', async () => {
    const first = await start({ SHUTDOWN_GRACE_MS: HOUR_MS });
    const inHand = await submit(first, longVideo);
    const waiting = await submit(first, shortVideo);
    await until(async () => (await statusOf(inHand, { url: first.url, signal })).status === 'running');
    const ended = first.stop();
    await until(refuses(first.url));
    process.kill(first.pid, 'SIGINT');
    expect(await ended).to.equal(130);

    const second = await start();
    const query = { url: second.url, signal };
    await until(async () => (await statusOf(inHand, query)).status === 'running');
    await fetch(`${second.url}/video/cancel/${inHand}`, { method: 'POST' });
    expect(await finish(second, waiting)).to.include({ status: 'completed' });
  });

  it('lets uploads finish within the grace time and keeps their jobs', async () => {
    const first = await start({ SHUTDOWN_GRACE_MS: HOUR_MS });
    const uploads = await Promise.all([beginUpload(first), beginUpload(first)]);
    const ended = first.stop();
    await until(refuses(first.url));
    const jobIds = await Promise.all(uploads.map((upload) => upload.finish()));
    expect(await ended).to.equal(0);
    const second = await start();
    for (const jobId of jobIds) expect(await finish(second, jobId)).to.include({ status: 'completed' });
  });

  it('aborts an upload that exceeds the grace time and keeps nothing of it', async () => {
    const first = await start({ SHUTDOWN_GRACE_MS: '0' });
    const upload = await beginUpload(first);
    const [cut] = await Promise.all([upload.broken, first.stop()]);
    expect(cut).to.be.instanceOf(Error);
    expect(await readdir(join(dataDir, 'video_jobs', 'incoming'))).to.deep.equal([]);
    const store = await DuckDBJobStore.open({ path: join(dataDir, 'jobs.duckdb'), log: createLog('silent') });
    try {
      expect(await store.countByStatus()).to.deep.equal({ pending: 0, running: 0, completed: 0, failed: 0 });
    } finally {
      await store.close();
    }
  });

  it('does not stop on SIGHUP or closed outputs', async () => {
    const child = spawn(process.execPath, [MAIN], {
      env: {
        ...process.env,
        HOST: '127.0.0.1',
        PORT: '0',
        DATA_DIR: dataDir,
        LOG_LEVEL: 'trace',
        PIPELINE_THREADS: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    });
    const ended = once(child, 'exit');
    try {
      child.stderr.resume();
      let url = '';
      for await (const line of createInterface({ input: child.stdout })) {
        url = /http:\S+/.exec(line)?.[0] ?? '';
        if (url !== '') break;
      }
      child.stdout.destroy();
      child.stderr.destroy();
      child.kill('SIGHUP');
      const jobId = await submit({ url }, shortVideo);
      child.kill('SIGHUP');
      expect(await finish({ url }, jobId)).to.include({ status: 'completed' });
      child.kill('SIGTERM');
      expect(await ended).to.deep.equal([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  /** Sends half of an upload and resolves when the service has it on disk. */
  async function beginUpload({ url }: ServiceProcess) {
    const body = multipart([{ head: FILE_HEAD, body: await readFile(shortVideo) }]);
    const before = (await readdir(join(dataDir, 'video_jobs', 'incoming'))).length;
    const headers = { ...MULTIPART, 'content-length': body.length };
    const sent: ClientRequest = request(`${url}/video/submit?pipeline_id=ocr_only`, { method: 'POST', headers });
    const broken = new Promise<unknown>((resolve) => {
      sent.once('error', resolve);
    });
    const answered = once(sent, 'response');
    answered.catch(() => undefined);
    sent.write(body.subarray(0, body.length / 2));
    await until(async () => (await readdir(join(dataDir, 'video_jobs', 'incoming'))).length > before);
    return {
      broken,
      async finish(): Promise<JobId> {
        sent.end(body.subarray(body.length / 2));
        const [response] = await answered;
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        expect(response.statusCode, text).to.equal(202);
        return submitResponseSchema.parse(JSON.parse(text)).job_id;
      },
    };
  }
});
