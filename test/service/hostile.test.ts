import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { createEngine, type JobEngine } from '../../src/engine/job-engine.ts';
import type { JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import type { VideoFilePipelineService } from '../../src/pipeline/pipeline-service.ts';
import { InMemoryQueueService } from '../../src/queue/memory.ts';
import { LocalStorageService } from '../../src/storage/local.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { childrenOf, openFilesOf } from '../../tools/child-processes.ts';
import { CANARY_PICTURE, placeCanaries, showsCanary, type Canaries } from '../../tools/fuzz/canary.ts';
import { followJob, resultsOf, statusOf, submitVideo } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';
import { box, FILE_TYPE } from '../pipeline/boxes.ts';
import { jobIn } from '../job-in.ts';

const LOOK_EVERY_MS = 20;

describe('the service with hostile videos', function () {
  let folder: string;
  let dataDir: string;
  let service: ServiceProcess;
  let shortVideo: string;
  let mediumVideo: string;
  let longVideo: string;
  const { signal } = new AbortController();

  before(async function () {
    if (process.platform !== 'linux') {
      console.log('    skipped: child processes are found by way of /proc');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'reelstate-hostile-'));
    shortVideo = join(folder, 'short.mp4');
    longVideo = join(folder, 'long.mp4');
    makeVideo({ path: shortVideo, width: 96, height: 64, frames: 3 });
    mediumVideo = join(folder, 'medium.mp4');
    makeVideo({ path: mediumVideo, width: 320, height: 192, frames: 12 });
    // Every frame differs, so every one is analysed: more work than any limit here allows.
    makeVideo({ path: longVideo, width: 320, height: 192, frames: 1000, encoderOptions: { g: 250 } });
  });
  after(async () => {
    if (process.platform === 'linux') await rm(folder, { recursive: true, force: true });
  });

  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<void> => {
    dataDir = await mkdtemp(join(folder, 'data-'));
    service = await startService({
      dataDir,
      signal,
      settings: { LOG_LEVEL: 'silent', PIPELINE_THREADS: '1', MAX_ATTEMPTS: '2', ...settings },
    });
  };
  const query = () => ({ url: service.url, signal });
  const submit = (videoPath: string): Promise<JobId> => submitVideo({ ...query(), videoPath, pipelineId: 'ocr_only' });
  const finish = (jobId: JobId) => followJob(jobId, query(), () => {});

  /** Waits until a child has the video of the only job open, and returns its process id. A `former` one is ignored. */
  const childAtWork = async (jobId: JobId, former?: number): Promise<number> => {
    for (;;) {
      const found = childrenOf(service.pid).find(
        (pid) => pid !== former && openFilesOf(pid).some((path) => path.endsWith('.mp4')),
      );
      if (found !== undefined) return found;
      expect((await statusOf(jobId, query())).progress, 'the job has ended').to.be.below(1);
      await wait(LOOK_EVERY_MS);
    }
  };
  const strike = async (jobId: JobId, blow: NodeJS.Signals): Promise<void> => {
    let former: number | undefined;
    for (const _attempt of ['first', 'second']) {
      former = await childAtWork(jobId, former);
      process.kill(former, blow);
    }
  };
  const expectNextJobToRun = async (): Promise<void> => {
    expect(await finish(await submit(shortVideo))).to.include({ status: 'completed' });
    // The last file of a job is written after its end is visible.
    while ((await readdir(join(dataDir, 'video_jobs', 'incoming'))).length > 0) await wait(LOOK_EVERY_MS);
    process.kill(service.pid, 0);
  };

  describe('whose files name other files', () => {
    let canaries: Canaries;

    before(async () => {
      await start();
      canaries = await placeCanaries(join(dataDir, 'video_jobs'));
    });
    after(() => service.kill());

    const PLAYLIST = '#EXTM3U\n#EXT-X-NOTE:ftyp\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n';
    const SCRIPT = 'ffconcat version 1.0\n# ftyp\nfile secret.ts\n';

    it('refuses a playlist and a script that mention ftyp and name a video beside them', async () => {
      for (const text of [PLAYLIST, SCRIPT]) {
        const { status, body } = await post(text);
        expect(status).to.equal(400);
        expect(body).to.contain('is in its first bytes, but not as the type of a box');
        expect(body).to.satisfy((shown: string) => !showsCanary(shown));
      }
      await expectNextJobToRun();
      await expectNothingOfCanaries();
    });

    it('shows nothing of the video when the playlist or script has a valid file type box', async () => {
      for (const text of [PLAYLIST, SCRIPT]) {
        for (const disguise of [
          [FILE_TYPE, Buffer.from(text)],
          [FILE_TYPE, box('mdat', Buffer.from(text))],
        ]) {
          const path = join(folder, 'disguised.mp4');
          await writeFile(path, Buffer.concat(disguise));
          const ended = await finish(await submit(path));
          expect(ended).to.include({ status: 'failed', error_code: 'invalid_video' });
          expect(ended.error_message).to.satisfy((shown: string) => !showsCanary(shown));
        }
      }
      await expectNextJobToRun();
      await expectNothingOfCanaries();
    });

    // The last one, because its results show the video.
    it('can read the video when it is submitted itself, so that the tests above can detect a leak', async () => {
      const path = join(folder, 'seen.mp4');
      makeVideo({ ...CANARY_PICTURE, path });
      const jobId = await submit(path);
      expect(await finish(jobId)).to.include({ status: 'completed' });
      expect(await resultsOf(jobId, query())).to.satisfy((shown: unknown) => showsCanary(JSON.stringify(shown)));
    });

    async function post(text: string): Promise<{ readonly status: number; readonly body: string }> {
      const form = new FormData();
      form.set('file', new Blob([text]), 'secret.ts');
      const address = `${service.url}/video/submit?pipeline_id=ocr_only`;
      const response = await fetch(address, { method: 'POST', body: form, signal });
      return { status: response.status, body: await response.text() };
    }

    /** Neither the picture's text nor a piece of the video's bytes is in any file except the canaries. */
    async function expectNothingOfCanaries(): Promise<void> {
      const video = await readFile(canaries.videoPath);
      const piece = video.subarray(video.length >>> 1).subarray(0, 64);
      const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && !canaries.names.includes(entry.name));
      expect(files.map(({ name }) => name)).to.include('jobs.duckdb');
      for (const { parentPath, name } of files) {
        const bytes = await readFile(join(parentPath, name));
        expect(bytes.includes(piece), name).to.equal(false);
        if (name.endsWith('.json')) expect(showsCanary(bytes.toString()), name).to.equal(false);
      }
    }
  });

  describe('that end their process', () => {
    afterEach(() => service.kill());

    it('ends a job whose process crashes every time as decoder_crashed, with the signal named', async () => {
      await start();
      const jobId = await submit(longVideo);
      await strike(jobId, 'SIGSEGV');
      const ended = await finish(jobId);
      expect(ended).to.include({ status: 'failed', error_code: 'decoder_crashed' });
      expect(ended.error_message).to.contain('SIGSEGV');
      await expectNextJobToRun();
    });

    it('ends a job whose process stops answering every time as stalled', async () => {
      await start({ STALL_TIMEOUT_MS: '8000' });
      const jobId = await submit(longVideo);
      await strike(jobId, 'SIGSTOP');
      expect(await finish(jobId)).to.include({ status: 'failed', error_code: 'stalled' });
      await expectNextJobToRun();
    });

    it('ends an endless job as timeout', async () => {
      await start({ JOB_TIMEOUT_MS: '8000' });
      const jobId = await submit(longVideo);
      const child = await childAtWork(jobId);
      expect(await finish(jobId)).to.include({ status: 'failed', error_code: 'timeout' });
      expect(await attemptsOf(jobId)).to.equal(1);
      expect(openFilesOf(child)).to.deep.equal([]);
    });

    it('ends a job that exhausts memory as memory_limit, after a retry with one thread', async () => {
      await start({ CHILD_MEMORY_BYTES: '410000000' });
      const path = join(folder, 'hungry.mp4');
      // One frame takes 50 MB in the decoder and 100 MB as RGB, twice on its way to the analysis.
      makeVideo({ path, width: 7680, height: 4320, frames: 3, codec: 'mjpeg', picture: 'color=color=gray' });
      const jobId = await submit(path);
      const ended = await finish(jobId);
      expect(ended).to.include({ status: 'failed', error_code: 'memory_limit' });
      expect(ended.error_message).to.contain('raise CHILD_MEMORY_BYTES');
      await expectNextJobToRun();
      expect(await attemptsOf(jobId)).to.equal(1);
    });

    it('repeats a job whose process was lost, and ignores late results of the first attempt', async () => {
      await start();
      const undisturbed = await submit(mediumVideo);
      const jobId = await submit(mediumVideo);
      await finish(undisturbed);
      process.kill(await childAtWork(jobId), 'SIGKILL');
      const ended = await finish(jobId);
      expect(ended).to.include({ status: 'completed' });
      const results = await resultsOf(jobId, query());
      expect(results).to.deep.equal(await resultsOf(undisturbed, query()));
      await service.stop();

      await withEngine(async (engine, store) => {
        const history = await store.transitionsOf(jobId);
        expect(history.map(({ event }) => event)).to.include.members(['INTERRUPT', 'COMPLETE']);
        const job = await jobIn(store, jobId);
        expect(job.attempt).to.equal(2);
        const late = [
          { type: 'COMPLETE', attempt: 1, outputPath: 'late_results.json' },
          { type: 'FAIL', attempt: 1, code: 'invalid_video', message: 'late' },
          { type: 'INTERRUPT', attempt: 1, code: 'stalled', message: 'late' },
        ] as const;
        for (const answer of late) {
          const refused = await engine.dispatch(jobId, answer).catch((error: unknown) => error);
          expect(refused).to.have.property('code', 'job_conflict');
        }
        expect(await jobIn(store, jobId)).to.deep.equal(job);
        expect(await store.transitionsOf(jobId)).to.deep.equal(history);
      });
    });
  });

  /** Returns the number of starts of a job. Ends the service, because one process owns the database. */
  async function attemptsOf(jobId: JobId): Promise<number> {
    await service.stop();
    return withEngine(async (_engine, store) => (await jobIn(store, jobId)).attempt);
  }

  async function withEngine<T>(work: (engine: JobEngine, store: DuckDBJobStore) => Promise<T>): Promise<T> {
    const log = createLog('silent');
    const store = await DuckDBJobStore.open({ path: join(dataDir, 'jobs.duckdb'), log });
    try {
      const storage = await LocalStorageService.open({ baseDir: join(dataDir, 'video_jobs') });
      const pipelines: VideoFilePipelineService = {
        list: () => [],
        runOnFile: () => expect.fail('nothing is analysed here'),
      };
      const queue = new InMemoryQueueService();
      const options = { store, queue, storage, pipelines, maxAttempts: 9, maxPending: 9, log };
      return await work(createEngine(options).engine, store);
    } finally {
      await store.close();
    }
  }
});
