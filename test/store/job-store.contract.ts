import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { jobIdSchema, type Job, type JobStatus, type JobTransition } from '../../src/job.ts';
import type { JobStore, SubmissionKey } from '../../src/store/job-store.ts';

export function newJob(overrides: Partial<Job> = {}): {
  readonly job: Omit<Job, 'acceptedSeq'>;
  readonly transition: JobTransition;
} {
  const jobId = jobIdSchema.parse(uuidv7());
  const createdAt = new Date().toISOString();
  const job: Omit<Job, 'acceptedSeq'> = {
    jobId,
    status: 'pending',
    pipelineId: 'ocr_only',
    options: { frame_stride: 3, max_frames: 10 },
    inputPath: `${jobId}.mp4`,
    outputPath: null,
    errorCode: null,
    errorMessage: null,
    revision: 1,
    attempt: 0,
    machineVersion: 1,
    snapshot: JSON.stringify({ value: 'pending', context: { attempt: 0, note: 'a "quoted" \\ ü \u0000 \u{1f3ac}' } }),
    createdAt,
    updatedAt: createdAt,
    expiredAt: null,
    fileName: 'a "file" ü.mp4',
    tag: 'holiday',
    media: null,
    ...overrides,
  };
  return {
    job,
    transition: {
      jobId: job.jobId,
      seq: job.revision,
      attempt: job.attempt,
      fromState: null,
      event: 'SUBMIT',
      toState: job.status,
      context: '{"attempt":0}',
      occurredAt: job.createdAt,
    },
  };
}

export function nextOf(
  job: Job,
  status: JobStatus,
  changes: Partial<Job> = {},
): { readonly job: Job; readonly transition: JobTransition } {
  const updatedAt = new Date().toISOString();
  const next: Job = { ...job, status, revision: job.revision + 1, attempt: 1, updatedAt, ...changes };
  return {
    job: next,
    transition: {
      jobId: job.jobId,
      seq: next.revision,
      attempt: next.attempt,
      fromState: job.status,
      event: status.toUpperCase(),
      toState: status,
      context: '{"attempt":1}',
      occurredAt: updatedAt,
    },
  };
}

/** Submits `count` new jobs in parallel. */
export function insertMany(store: JobStore, count: number): Promise<readonly Job[]> {
  return Promise.all(
    Array.from({ length: count }, () => {
      const { job, transition } = newJob();
      return store.insert(job, transition);
    }),
  );
}

/** The contract of the port. `open` returns an empty store; the suite closes it. */
export function jobStoreContract(name: string, open: () => Promise<JobStore>): void {
  describe(`${name} fulfils the contract of a job store`, () => {
    let store: JobStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    it('returns a job exactly as inserted, with its place in the order of acceptance', async () => {
      const { job, transition } = newJob();
      const inserted = await store.insert(job, transition);
      expect(inserted).to.deep.equal({ ...job, acceptedSeq: 1 });
      expect(await store.get(job.jobId)).to.deep.equal(inserted);
      expect(await store.transitionsOf(job.jobId)).to.deep.equal([transition]);
    });

    it('returns nothing for an unknown id', async () => {
      const { job } = newJob();
      expect(await store.get(job.jobId)).to.equal(undefined);
      expect(await store.transitionsOf(job.jobId)).to.deep.equal([]);
    });

    it('saves every field that a transition changes, null and text alike', async () => {
      const { job, transition } = newJob();
      const inserted = await store.insert(job, transition);
      const failed = nextOf(inserted, 'failed', {
        outputPath: '',
        errorCode: 'invalid_video',
        errorMessage: 'it said "no"\n',
        machineVersion: 2,
        snapshot: '{"value":"failed"}',
      });
      expect(await store.save(failed.job, failed.transition)).to.equal(true);
      expect(await store.get(job.jobId)).to.deep.equal(failed.job);
      const mended = nextOf(failed.job, 'completed', { errorCode: null, errorMessage: null, outputPath: 'r.json' });
      expect(await store.save(mended.job, mended.transition)).to.equal(true);
      expect(await store.get(job.jobId)).to.deep.equal(mended.job);
      expect(await store.transitionsOf(job.jobId)).to.deep.equal([transition, failed.transition, mended.transition]);
    });

    it('changes nothing and writes no transition if the stored revision differs', async () => {
      const { job, transition } = newJob();
      const inserted = await store.insert(job, transition);
      const running = nextOf(inserted, 'running');
      expect(await store.save(running.job, running.transition)).to.equal(true);
      expect(await store.save(running.job, running.transition)).to.equal(false);
      const stale = nextOf(inserted, 'failed');
      expect(await store.save(stale.job, stale.transition)).to.equal(false);
      const unknown = nextOf({ ...newJob().job, acceptedSeq: 9 }, 'running');
      expect(await store.save(unknown.job, unknown.transition)).to.equal(false);
      expect(await store.get(job.jobId)).to.deep.equal(running.job);
      expect(await store.transitionsOf(job.jobId)).to.deep.equal([transition, running.transition]);
      expect(await store.get(unknown.job.jobId)).to.equal(undefined);
    });

    it('rejects stale writes among many and keeps the others', async () => {
      const jobs = await insertMany(store, 40);
      const runs = jobs.map((job) => nextOf(job, 'running'));
      await Promise.all(runs.slice(0, 10).map(({ job, transition }) => store.save(job, transition)));
      const others = insertMany(store, 5);
      const saved = await Promise.all(runs.map(({ job, transition }) => store.save(job, transition)));
      expect(saved).to.deep.equal(runs.map((_, index) => index >= 10));
      expect((await others).map(({ acceptedSeq }) => acceptedSeq)).to.deep.equal([41, 42, 43, 44, 45]);
      for (const { job } of runs) {
        expect((await store.transitionsOf(job.jobId)).map(({ seq }) => seq)).to.deep.equal([1, 2]);
      }
    });

    it('accepts exactly one of several writes of one revision', async () => {
      const [job] = await insertMany(store, 1);
      if (job === undefined) throw new Error('no job');
      const tries = (['running', 'failed', 'completed'] as const).map((status) => nextOf(job, status));
      const saved = await Promise.all(tries.map(({ job: next, transition }) => store.save(next, transition)));
      expect(saved.filter(Boolean)).to.have.length(1);
      expect(await store.get(job.jobId)).to.deep.equal(tries[saved.indexOf(true)]?.job);
      expect(await store.transitionsOf(job.jobId)).to.have.length(2);
    });

    it('applies writes of one job in order', async () => {
      const { job, transition } = newJob();
      const inserted = store.insert(job, transition);
      const running = nextOf({ ...job, acceptedSeq: 1 }, 'running');
      const completed = nextOf(running.job, 'completed', { outputPath: 'r.json' });
      expect(
        await Promise.all([
          store.save(running.job, running.transition),
          store.save(completed.job, completed.transition),
        ]),
      ).to.deep.equal([true, true]);
      expect((await inserted).acceptedSeq).to.equal(1);
      expect(await store.get(job.jobId)).to.deep.equal(completed.job);
    });

    it('never shows an older revision than before, with concurrent readers', async () => {
      const jobs = await insertMany(store, 4);
      const written = new AbortController();
      const write = async (job: Job): Promise<void> => {
        for (let last = job; last.revision < 40;) {
          const { job: next, transition } = nextOf(last, 'running');
          await store.save(next, transition);
          last = next;
        }
      };
      /** Revisions observed by one reader in sequence, alone or as part of a page. */
      const read = async (job: Job, look: (job: Job) => Promise<Job | undefined>): Promise<readonly number[]> => {
        const seen: number[] = [];
        while (!written.signal.aborted) seen.push((await look(job))?.revision ?? 0);
        return seen;
      };
      const alone = ({ jobId }: Job) => store.get(jobId);
      const inPage = async ({ jobId }: Job) => {
        const all = await store.newest({}, 10);
        return all.find((job) => job.jobId === jobId);
      };
      const reading = jobs.flatMap((job) => [read(job, alone), read(job, inPage), read(job, alone)]);
      await Promise.all(jobs.map(write));
      written.abort();
      for (const seen of await Promise.all(reading)) {
        expect(seen).to.deep.equal(seen.toSorted((a, b) => a - b));
        expect(new Set(seen)).to.have.property('size').above(1);
      }
    });

    it('shows acknowledged writes', async () => {
      const jobs = await insertMany(store, 50);
      await Promise.all(
        jobs.map(async (job) => {
          for (let last = job; last.revision < 4;) {
            const { job: next, transition } = nextOf(last, 'running');
            await store.save(next, transition);
            expect((await store.get(job.jobId))?.revision).to.equal(next.revision);
            last = next;
          }
        }),
      );
    });

    it('resolves inserts in the order of acceptance, numbered without gaps', async () => {
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 200 }, async () => {
          const { job, transition } = newJob();
          order.push((await store.insert(job, transition)).acceptedSeq);
        }),
      );
      expect(order).to.deep.equal(Array.from({ length: 200 }, (_, index) => index + 1));
    });

    it('finds each of many jobs requested at once', async () => {
      const jobs = await insertMany(store, 60);
      const strangers = Array.from({ length: 3 }, () => newJob().job.jobId);
      const ids = [...jobs.map(({ jobId }) => jobId), ...strangers];
      expect(await Promise.all(ids.map((id) => store.get(id)))).to.deep.equal([
        ...jobs,
        undefined,
        undefined,
        undefined,
      ]);
    });

    it('returns the summary of each of many jobs, requested at once or alone', async () => {
      const [first, second, ...others] = await insertMany(store, 10);
      if (first === undefined || second === undefined) throw new Error('nothing was inserted');
      const failed = nextOf(first, 'failed', { errorCode: 'invalid_video', errorMessage: 'it said "no"\n' });
      const completed = nextOf(second, 'completed', { outputPath: 'r.json' });
      for (const { job, transition } of [failed, completed]) await store.save(job, transition);
      const stranger = newJob().job.jobId;
      const told = [failed.job, completed.job, ...others].map(
        ({ jobId, status, errorCode, errorMessage, createdAt, updatedAt }) => {
          return { jobId, status, errorCode, errorMessage, createdAt, updatedAt };
        },
      );
      const ids = [...told.map(({ jobId }) => jobId), stranger, first.jobId];
      const expected = [...told, undefined, told[0]];
      expect(await Promise.all(ids.map((id) => store.summary(id)))).to.deep.equal(expected);
      const oneByOne: unknown[] = [];
      for (const id of ids) oneByOne.push(await store.summary(id));
      expect(oneByOne).to.deep.equal(expected);
    });

    it('pages the jobs of one status in the order of acceptance', async () => {
      const jobs = await insertMany(store, 25);
      const finished = jobs.filter((_, index) => index % 5 === 0).map((job) => nextOf(job, 'completed'));
      await Promise.all(finished.map(({ job, transition }) => store.save(job, transition)));
      const pending = jobs.filter((_, index) => index % 5 !== 0);
      expect(await store.page('pending', 0, 8)).to.deep.equal(pending.slice(0, 8));
      expect(await store.page('pending', pending[7]?.acceptedSeq ?? 0, 100)).to.deep.equal(pending.slice(8));
      expect(await store.page('completed', 0, 100)).to.deep.equal(finished.map(({ job }) => job));
      expect(await store.page('running', 0, 100)).to.deep.equal([]);
      expect(await store.page('pending', 25, 100)).to.deep.equal([]);
    });

    it('lists the newest jobs first, by status, by pipeline and from any job backwards', async () => {
      const jobs = (await insertMany(store, 12)).toReversed();
      const other = newJob({ pipelineId: 'yolo_ocr' });
      const newest = await store.insert(other.job, other.transition);
      expect(await store.newest({}, 100)).to.deep.equal([newest, ...jobs]);
      expect(await store.newest({}, 3)).to.deep.equal([newest, ...jobs.slice(0, 2)]);
      expect(await store.newest({ pipelineId: 'yolo_ocr' }, 100)).to.deep.equal([newest]);
      expect(await store.newest({ beforeSeq: 5 }, 2)).to.deep.equal(jobs.slice(8, 10));
      const running = nextOf(newest, 'running');
      await store.save(running.job, running.transition);
      expect(await store.newest({ status: 'running' }, 100)).to.deep.equal([running.job]);
      expect(await store.newest({ status: 'running', pipelineId: 'ocr_only' }, 100)).to.deep.equal([]);
      expect(await store.newest({ status: 'pending', beforeSeq: 3 }, 100)).to.deep.equal(jobs.slice(-2));
    });

    it('lists jobs by tag and by a part of the file name, in any case', async () => {
      const [named, unnamed] = [
        newJob({ fileName: "Lecture 5% 'graphs'.mp4", tag: 'week 3' }),
        newJob({ fileName: null, tag: null }),
      ];
      const job = await store.insert(named.job, named.transition);
      await store.insert(unnamed.job, unnamed.transition);
      for (const fileName of ['LECTURE', "'graphs'", '5%']) {
        expect(await store.newest({ fileName }, 10), fileName).to.deep.equal([job]);
      }
      expect(await store.newest({ fileName: 'lec%', tag: 'week 3' }, 10)).to.deep.equal([]);
      expect(await store.newest({ tag: 'week 3' }, 10)).to.deep.equal([job]);
      expect(await store.newest({ tag: 'week' }, 10)).to.deep.equal([]);
    });

    it('stores the media facts with the end of a job', async () => {
      const { job, transition } = newJob();
      const running = nextOf(await store.insert(job, transition), 'running');
      await store.save(running.job, running.transition);
      const media = {
        width: 1280,
        height: 720,
        duration_ms: 40.5,
        frame_rate: 25,
        codec: 'h264',
        frames_decoded: 2,
        frames_analysed: 1,
      };
      const ended = nextOf(running.job, 'completed', { outputPath: 'x_results.json', media });
      await store.save(ended.job, ended.transition);
      expect((await store.get(job.jobId))?.media).to.deep.equal(media);
    });

    it('has another change token after every write, and the same one while nothing is written', async () => {
      const tokens = [store.changeToken()];
      const { job, transition } = newJob();
      const inserted = await store.insert(job, transition);
      tokens.push(store.changeToken());
      const next = nextOf(inserted, 'running');
      await store.save(next.job, next.transition);
      tokens.push(store.changeToken());
      await store.newest({}, 1);
      await store.countByStatus();
      expect(new Set(tokens)).to.have.lengthOf(3);
      expect(store.changeToken()).to.equal(tokens.at(-1));
    });

    it('counts the jobs of every status', async () => {
      expect(await store.countByStatus()).to.deep.equal({ pending: 0, running: 0, completed: 0, failed: 0 });
      const jobs = await insertMany(store, 6);
      const started = jobs.slice(0, 2).map((job) => nextOf(job, 'running'));
      await Promise.all(started.map(({ job, transition }) => store.save(job, transition)));
      expect(await store.countByStatus()).to.deep.equal({ pending: 4, running: 2, completed: 0, failed: 0 });
    });

    it('summarises the jobs that ended since a time, by nearest rank', async () => {
      const at = (second: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + second * 1_000).toISOString();
      expect(await store.endsSince(at(0))).to.deep.equal({ completed: 0, failed: {}, waitMs: null, runMs: null });
      const save = async (job: Job, status: JobStatus, second: number, errorCode: string | null = null) => {
        const next = nextOf(job, status, { updatedAt: at(second), errorCode });
        await store.save(next.job, { ...next.transition, occurredAt: at(second) });
        return next.job;
      };
      /** Waits this long, is interrupted, and then runs twice as long. */
      const end = async (seconds: number, status: JobStatus, code: string | null = null): Promise<void> => {
        const { job, transition } = newJob({ createdAt: at(0) });
        const accepted = await store.insert(job, { ...transition, occurredAt: at(0) });
        const interrupted = await save(await save(accepted, 'running', seconds), 'pending', seconds + 1);
        await save(await save(interrupted, 'running', 100), status, 100 + 2 * seconds, code);
      };
      for (let seconds = 1; seconds <= 18; seconds += 1) await end(seconds, 'completed');
      await end(19, 'failed', 'stalled');
      await end(20, 'failed', 'cancelled');
      expect(await store.endsSince(at(0))).to.deep.equal({
        completed: 18,
        failed: { stalled: 1, cancelled: 1 },
        waitMs: { p50: 10_000, p95: 19_000 },
        runMs: { p50: 20_000, p95: 38_000 },
      });
      expect(await store.endsSince(at(100 + 2 * 19))).to.deep.include({
        completed: 0,
        failed: { stalled: 1, cancelled: 1 },
      });
      const unstarted = newJob({ createdAt: at(0) });
      await save(await store.insert(unstarted.job, unstarted.transition), 'failed', 500, 'cancelled');
      expect(await store.endsSince(at(500))).to.deep.equal({
        completed: 0,
        failed: { cancelled: 1 },
        waitMs: null,
        runMs: null,
      });
    });

    it('returns the latest transitions of all jobs, oldest first', async () => {
      const [first, second] = await insertMany(store, 2);
      if (first === undefined || second === undefined) throw new Error('two jobs were inserted');
      const at = (n: number) => new Date(Date.now() + n * 1_000).toISOString();
      const steps: JobTransition[] = [];
      for (const [n, job] of [second, first].entries()) {
        const next = nextOf(job, 'running');
        const transition = { ...next.transition, occurredAt: at(n + 1) };
        await store.save(next.job, transition);
        steps.push(transition);
      }
      expect(await store.latestTransitions(2)).to.deep.equal(steps);
      expect(await store.latestTransitions(10)).to.have.lengthOf(4);
    });

    it('pages the ids of the pending jobs in the order of acceptance', async () => {
      const jobs = await insertMany(store, 6);
      const [first] = jobs;
      if (first === undefined) throw new Error('six jobs were inserted');
      const started = nextOf(first, 'running');
      await store.save(started.job, started.transition);
      const pending = jobs.slice(1).map(({ jobId, acceptedSeq, attempt }) => ({ jobId, acceptedSeq, attempt }));
      expect(await store.placesIn('pending', 0, 10)).to.deep.equal(pending);
      expect(await store.placesIn('pending', 0, 2)).to.deep.equal(pending.slice(0, 2));
      expect(await store.placesIn('pending', pending[1]?.acceptedSeq ?? 0, 10)).to.deep.equal(pending.slice(2));
    });

    it('returns the state of jobs, and nothing for an unknown one', async () => {
      const [first, second] = await insertMany(store, 2);
      if (first === undefined || second === undefined) throw new Error('two jobs were inserted');
      const ended = nextOf(first, 'completed');
      await store.save(ended.job, ended.transition);
      const expiredAt = new Date().toISOString();
      await store.expire({ ...ended.job, expiredAt });
      const unknown = jobIdSchema.parse(uuidv7());
      expect([...(await store.retentionStatesOf([first.jobId, second.jobId, unknown]))]).to.have.deep.members([
        [first.jobId, { status: 'completed', expiredAt }],
        [second.jobId, { status: 'pending', expiredAt: null }],
      ]);
      expect([...(await store.retentionStatesOf([]))]).to.deep.equal([]);
    });

    it('records once, without a transition, that the files of a job are deleted', async () => {
      const [given] = await insertMany(store, 1);
      if (given === undefined) throw new Error('a job was inserted');
      const { job, transition } = nextOf(given, 'failed', { errorCode: 'internal', errorMessage: 'm' });
      await store.save(job, transition);
      const expiredAt = '2026-01-02T03:04:05.678Z';
      await store.expire({ ...job, expiredAt });
      await store.expire({ ...job, expiredAt: '2027-01-01T00:00:00.000Z' });
      expect(await store.get(job.jobId)).to.deep.equal({ ...job, expiredAt });
      expect(await store.transitionsOf(job.jobId)).to.have.lengthOf(2);
    });

    it('finds ended jobs, newest first, and old ones with files, oldest first', async () => {
      const at = (minute: number) => `2026-01-01T00:0${minute}:00.000Z`;
      const jobs = await insertMany(store, 5);
      const states = ['completed', 'failed', 'running', 'completed', 'completed'] as const;
      const next = jobs.map((job, n) => nextOf(job, states[n] ?? 'running', { updatedAt: at(n) }));
      await Promise.all(next.map(({ job, transition }) => store.save(job, transition)));
      const [first, second, , fourth, fifth] = next.map(({ job }) => job);
      if (first !== undefined) await store.expire({ ...first, expiredAt: at(9) });
      const ended = (await store.lastEnded(3)).map(({ jobId }) => jobId);
      expect(ended).to.deep.equal([fifth?.jobId, fourth?.jobId, second?.jobId]);
      expect(await store.endedBefore(at(4), 10)).to.deep.equal([second?.jobId, fourth?.jobId]);
      expect(await store.endedBefore(at(9), 1)).to.deep.equal([second?.jobId]);
    });

    it('keeps every character of every text, of one job and of many', async () => {
      const odd = "it's \u0000 'so': ''; -- \\ \" $1 \n \t end'";
      const texts = { pipelineId: odd, inputPath: odd, snapshot: odd };
      const { job, transition } = newJob(texts);
      const inserted = await store.insert(job, { ...transition, context: odd });
      expect(await store.get(job.jobId)).to.deep.equal({ ...inserted, ...texts });
      const failed = nextOf(inserted, 'failed', { errorCode: odd, errorMessage: odd, snapshot: `${odd}2` });
      expect(await store.save(failed.job, { ...failed.transition, event: odd })).to.equal(true);
      expect(await store.get(job.jobId)).to.deep.equal(failed.job);
      expect(await store.transitionsOf(job.jobId)).to.deep.equal([
        { ...transition, context: odd },
        { ...failed.transition, event: odd },
      ]);
      const many = (await insertMany(store, 3)).map((given) => nextOf(given, 'failed', { errorMessage: odd }));
      await Promise.all(many.map((next) => store.save(next.job, next.transition)));
      expect(await store.page('failed', 1, 10)).to.deep.equal(many.map((next) => next.job));
    });

    it('keeps the end columns of a job saved alone or with unfinished jobs', async () => {
      const ends = [{ outputPath: 'r.json' }, { errorCode: 'stalled' }, { errorMessage: 'it stood still' }];
      for (const end of ends) {
        const [alone, among, ...others] = await insertMany(store, 4);
        if (alone === undefined || among === undefined) throw new Error('four jobs were inserted');
        const first = nextOf(alone, 'failed', end);
        await store.save(first.job, first.transition);
        const rest = [nextOf(among, 'failed', end), ...others.map((job) => nextOf(job, 'running'))];
        await Promise.all(rest.map(({ job, transition }) => store.save(job, transition)));
        for (const { job } of [first, ...rest]) expect(await store.get(job.jobId)).to.deep.equal(job);
      }
    });

    it('lists nothing with a limit of 0', async () => {
      await insertMany(store, 2);
      expect(await store.page('pending', 0, 0)).to.deep.equal([]);
      expect(await store.newest({}, 0)).to.deep.equal([]);
      expect(await store.placesIn('pending', 0, 0)).to.deep.equal([]);
    });

    describe('with keys of submissions', () => {
      const at = (second: number) => `2026-01-01T00:00:0${second}.500Z`;
      const key = { owner: "o'hara", keySha256: 'ab', fingerprint: "f'1" };

      async function submit(second: number, submission?: SubmissionKey): Promise<Job> {
        const { job, transition } = newJob({ createdAt: at(second) });
        return store.insert(job, transition, submission);
      }

      it('finds a job by its key from its acceptance on', async () => {
        const { jobId } = await submit(2, key);
        await submit(2);
        const found = { jobId, fingerprint: key.fingerprint };
        expect(await store.submission(key, at(1))).to.deep.equal(found);
        expect(await store.submission(key, at(2))).to.deep.equal(found);
        expect(await store.submission(key, at(3))).to.equal(undefined);
      });

      it('finds nothing by another key, nor by the same key of another owner', async () => {
        await submit(2, key);
        await submit(3);
        expect(await store.submission({ ...key, keySha256: 'cd' }, at(1))).to.equal(undefined);
        expect(await store.submission({ ...key, owner: 'ohara' }, at(1))).to.equal(undefined);
      });

      it('finds each of many jobs that were submitted at once, and of one key the last', async () => {
        const keys = ['a', 'b', 'c'].map((keySha256) => ({ ...key, keySha256, fingerprint: `of ${keySha256}` }));
        const jobs = await Promise.all(keys.map((each, index) => submit(index, each)));
        for (const [index, each] of keys.entries()) {
          const expected = { jobId: jobs[index]?.jobId, fingerprint: each.fingerprint };
          expect(await store.submission(each, at(0))).to.deep.equal(expected);
        }
        const again = { owner: key.owner, keySha256: 'a', fingerprint: 'again' };
        const last = await submit(9, again);
        expect(await store.submission(again, at(0))).to.deep.equal({ jobId: last.jobId, fingerprint: 'again' });
      });

      it('deletes the keys of earlier submissions, and no job', async () => {
        const old = { ...key, keySha256: 'old' };
        const young = { ...key, keySha256: 'young' };
        const first = await submit(1, old);
        const second = await submit(2, young);
        await store.forgetSubmissions(at(2));
        expect(await store.submission(old, at(0))).to.equal(undefined);
        expect((await store.submission(young, at(0)))?.jobId).to.equal(second.jobId);
        expect(await store.get(first.jobId)).to.deep.equal(first);
      });

      it('keeps no key of a rejected job', async () => {
        const { job, transition } = newJob({ createdAt: at(1), updatedAt: 'no time at all' });
        const refusal: unknown = await store.insert(job, transition, key).catch((error: unknown) => error);
        expect(refusal).to.be.an('error');
        expect(await store.submission(key, at(0))).to.equal(undefined);
      });
    });

    it('responds to a ping', () => store.ping());
  });
}
