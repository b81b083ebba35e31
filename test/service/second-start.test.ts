import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import { childrenOf } from '../../tools/child-processes.ts';
import { followJob, statusOf, submitVideo } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';
import { FILE_HEAD, multipart, MULTIPART } from '../http/service-under-test.ts';

const MAIN = 'src/main.js';
const REELSTATE = 'src/cli/reelstate.js';
const LOOK_EVERY_MS = 20;
const HOUR_MS = '3600000';

describe('a data folder that a service uses', function () {
  let folder: string;
  let dataDir: string;
  let videoPath: string;
  let service: ServiceProcess | undefined;
  const { signal } = new AbortController();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-second-'));
    videoPath = join(folder, 'video.mp4');
    makeVideo({ path: videoPath, width: 320, height: 192, frames: 12 });
  });
  beforeEach(async () => {
    dataDir = await mkdtemp(join(folder, 'data-'));
  });
  afterEach(async () => {
    await service?.kill();
    service = undefined;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is not changed by other programs: the running job and upload succeed', async () => {
    service = await startService({ dataDir, signal, settings: { PIPELINE_THREADS: '1', STALL_TIMEOUT_MS: HOUR_MS } });
    const { url, pid } = service;
    const inHand = await submitVideo({ url, signal, videoPath, pipelineId: 'ocr_only' });
    while ((await statusOf(inHand, { url, signal })).status !== 'running') await wait(LOOK_EVERY_MS);
    // Its results, which are being written.
    while ((await contents()).every((path) => !path.startsWith('video_jobs/incoming/'))) await wait(LOOK_EVERY_MS);
    // The job runs for as long as the other programs take.
    for (const child of childrenOf(pid)) process.kill(child, 'SIGSTOP');
    const upload = await beginUpload(url);
    const before = await contents();
    expect(before.filter((path) => path.startsWith('video_jobs/incoming/'))).to.have.lengthOf(2);

    for (const [program, ...args] of [
      [MAIN],
      [REELSTATE, 'serve'],
      [REELSTATE, 'migrate', 'rebuild'],
      [REELSTATE, 'migrate', 'down'],
      ['tools/migrate.js', 'up'],
    ]) {
      const { code, printed } = await run(program ?? '', args);
      expect(code, printed).to.equal(1);
      expect(printed).to.contain(`another process (PID ${pid}) has the data folder ${dataDir}`);
      expect(printed.trim().split('\n').length, printed).to.be.within(1, 2);
    }
    expect(await contents()).to.deep.equal(before);
    expect((await statusOf(inHand, { url, signal })).status).to.equal('running');
    for (const child of childrenOf(pid)) process.kill(child, 'SIGCONT');

    const jobId = await upload.finish();
    for (const id of [inHand, jobId]) {
      expect(await followJob(id, { url, signal }, () => {})).to.include({ status: 'completed' });
    }
  });

  it('is taken by one of two services that start at once; the other changes nothing', async () => {
    const start = () => startService({ dataDir, signal, settings: { PIPELINE_THREADS: '1', LOG_LEVEL: 'warn' } });
    const outcomes = await Promise.allSettled([start(), start()]);
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') service = outcome.value;
    expect(failures).to.have.lengthOf(1);
    expect(failures[0]).to.contain(`(PID ${service?.pid}) has the data folder`);
  });

  /** Returns the paths in the data folder except the log of the database, which comes and goes. */
  async function contents(): Promise<string[]> {
    const paths = (await readdir(dataDir, { recursive: true })).filter((path) => !path.endsWith('.wal'));
    return paths.toSorted();
  }

  async function run(program: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(`../../${program}`, import.meta.url));
    const child = spawn(process.execPath, [path, ...args], {
      env: { ...process.env, DATA_DIR: dataDir, HOST: '127.0.0.1', PORT: '0', API_KEYS: undefined },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [printed, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    return { code, printed };
  }

  /** Sends half of an upload and resolves when the service has a file for it. */
  async function beginUpload(url: string) {
    const body = multipart([{ head: FILE_HEAD, body: await readFile(videoPath) }]);
    const incoming = join(dataDir, 'video_jobs', 'incoming');
    const known = new Set(await readdir(incoming));
    const headers = { ...MULTIPART, 'content-length': body.length };
    const sent = request(`${url}/video/submit?pipeline_id=ocr_only`, { method: 'POST', headers });
    const answered = once(sent, 'response');
    answered.catch(() => undefined);
    sent.write(body.subarray(0, body.length / 2));
    while ((await readdir(incoming)).every((name) => known.has(name))) await wait(LOOK_EVERY_MS);
    return {
      async finish() {
        sent.end(body.subarray(body.length / 2));
        const [response] = await answered;
        return submitResponseSchema.parse(JSON.parse(await text(response))).job_id;
      },
    };
  }
});
