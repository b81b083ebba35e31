import { readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { sweepFiles } from '../../src/engine/file-sweep.ts';
import {
  inputPathOf,
  readSidecar,
  resultsPathOf,
  segmentsPathOf,
  thumbnailsPathOf,
  sidecarPathOf,
} from '../../src/engine/sidecar.ts';
import type { Job, JobId } from '../../src/job.ts';
import type { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { keptLog } from '../kept-log.ts';
import { EngineHarness } from './engine-harness.ts';
import { aSidecar, completion, keeping, newId, put, putSidecar } from './keeping.ts';
import { jobIn } from '../job-in.ts';

describe('the sweep of the stored files', () => {
  let harness: EngineHarness;
  let lines: unknown[];
  let sweep: () => Promise<readonly Job[]>;

  beforeEach(async () => {
    harness = await EngineHarness.open();
    const listened = keptLog();
    lines = listened.lines;
    sweep = () => sweepFiles(keeping(harness, listened.log, new AbortController().signal));
  });
  afterEach(() => harness[Symbol.asyncDispose]());

  const files = async (): Promise<readonly string[]> => {
    const entries = await readdir(join(harness.folder, 'video_jobs'), { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).toSorted();
  };

  /** Records every list of ids in queries of the database. */
  const listenToStandings = (): JobId[][] => {
    const asked: JobId[][] = [];
    const store: Pick<DuckDBJobStore, 'retentionStatesOf'> = harness.store;
    const retentionStatesOf = harness.store.retentionStatesOf.bind(harness.store);
    store.retentionStatesOf = (jobIds) => {
      asked.push([...jobIds]);
      return retentionStatesOf(jobIds);
    };
    return asked;
  };

  it('moves every file of an unknown job unchanged into one quarantine folder named by the time', async () => {
    const [whole, alone] = [newId(), newId()];
    await put(harness, inputPathOf(whole), 'a video');
    await put(harness, resultsPathOf(whole), 'results');
    await put(harness, segmentsPathOf(whole), 'segments');
    await put(harness, thumbnailsPathOf(whole), 'thumbnails');
    await put(harness, sidecarPathOf(whole), 'garbage');
    await put(harness, resultsPathOf(alone), 'other results');

    expect(await sweep()).to.deep.equal([]);
    expect(await files()).to.deep.equal([]);
    const folders = await readdir(join(harness.folder, 'video_jobs', 'quarantine'));
    expect(folders).to.have.lengthOf(1);
    const [folder = ''] = folders;
    expect(folder).to.match(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/);
    const moved = [
      { jobId: whole, path: resultsPathOf(whole), text: 'results' },
      { jobId: whole, path: segmentsPathOf(whole), text: 'segments' },
      { jobId: whole, path: thumbnailsPathOf(whole), text: 'thumbnails' },
      { jobId: whole, path: inputPathOf(whole), text: 'a video' },
      { jobId: whole, path: sidecarPathOf(whole), text: 'garbage' },
      { jobId: alone, path: resultsPathOf(alone), text: 'other results' },
    ];
    for (const { path, text } of moved) {
      expect(await readFile(join(harness.folder, 'video_jobs', 'quarantine', folder, path), 'utf8')).to.equal(text);
    }
    expect(lines).to.deep.equal(
      moved.map(({ jobId, path }) => ({
        level: 'warn',
        job_id: jobId,
        path,
        moved_to: `quarantine/${folder}/${path}`,
        msg: 'file of an unknown job moved to quarantine',
      })),
    );
  });

  it('logs each quarantined file', async () => {
    await put(harness, inputPathOf(newId()));
    await put(harness, inputPathOf(newId()));
    const steps: string[] = [];
    const { log } = keptLog();
    const options = keeping(harness, log, new AbortController().signal);
    await sweepFiles({ ...options, onStep: (step) => void steps.push(step) });
    expect(steps).to.deep.equal(['reconcile: file set aside', 'reconcile: file set aside']);
  });

  it('leaves a file with a foreign name in place, and logs it', async () => {
    await put(harness, 'notes.txt', 'mine');
    expect(await sweep()).to.deep.equal([]);
    expect(await files()).to.deep.equal(['notes.txt']);
    expect(lines).to.deep.equal([{ level: 'warn', path: 'notes.txt', msg: 'file with a foreign name ignored' }]);
  });

  it('restores jobs from their sidecars in order of acceptance, and returns the pending ones', async () => {
    const [first, ended, second] = [newId(), newId(), newId()];
    for (const jobId of [second, first]) {
      await putSidecar(harness, aSidecar(jobId));
      await put(harness, inputPathOf(jobId));
    }
    const media = {
      width: 2,
      height: 1,
      duration_ms: 40,
      frame_rate: 25,
      codec: 'h264',
      frames_decoded: 1,
      frames_analysed: 1,
    };
    const names = { file_name: 'clip.mp4', tag: 'holiday' };
    await putSidecar(harness, aSidecar(ended, { ...names, outcome: { ...completion(ended), media } }));
    await put(harness, resultsPathOf(ended));

    expect((await sweep()).map(({ jobId }) => jobId)).to.deep.equal([first, second]);
    expect(await jobIn(harness.store, ended)).to.deep.include({
      status: 'completed',
      fileName: 'clip.mp4',
      tag: 'holiday',
      media,
    });
    const msg = 'job restored from its sidecar';
    expect(lines).to.deep.equal([
      { level: 'warn', job_id: first, status: 'pending', msg },
      { level: 'warn', job_id: ended, status: 'completed', msg },
      { level: 'warn', job_id: second, status: 'pending', msg },
    ]);
    expect(await files()).to.have.lengthOf(6);
    expect(harness.queue.size(), 'the caller queues').to.equal(0);
  });

  it('restores each job once, for any number of jobs', async () => {
    const jobIds = Array.from({ length: 65 }, newId);
    for (const jobId of jobIds) {
      await putSidecar(harness, aSidecar(jobId));
      await put(harness, inputPathOf(jobId));
    }
    expect((await sweep()).map(({ jobId }) => jobId)).to.deep.equal(jobIds);
    expect(lines).to.have.lengthOf(65);
    expect(await harness.store.countByStatus()).to.include({ pending: 65 });
  });

  it('quarantines the sidecar of a pending job without a video', async () => {
    const jobId = newId();
    await putSidecar(harness, aSidecar(jobId));
    expect(await sweep()).to.deep.equal([]);
    expect(await harness.store.get(jobId)).to.equal(undefined);
    expect(await files()).to.deep.equal([]);
  });

  it('distinguishes other errors of a video from its absence', async () => {
    const jobId = newId();
    await putSidecar(harness, aSidecar(jobId));
    await symlink(join(harness.folder, 'jobs.duckdb'), join(harness.folder, 'video_jobs', inputPathOf(jobId)));
    const refusal = await sweep().catch((error: unknown) => error);
    expect(refusal).to.include({ name: 'ServiceError', code: 'path_refused' });
    expect(await files()).to.deep.equal([sidecarPathOf(jobId)]);
  });

  it('ignores a job that is being accepted', async () => {
    const store: Pick<DuckDBJobStore, 'insert'> = harness.store;
    const insert = harness.store.insert.bind(harness.store);
    let swept: readonly Job[] | undefined;
    store.insert = async (job, transition, submission) => {
      store.insert = insert;
      // Its files are stored, its row is not.
      swept = await sweep();
      return insert(job, transition, submission);
    };
    const { jobId } = await harness.submit();
    expect(swept).to.deep.equal([]);
    expect(lines).to.deep.equal([]);
    expect(await files()).to.deep.equal([sidecarPathOf(jobId), inputPathOf(jobId)].toSorted());
    expect((await harness.store.transitionsOf(jobId)).map(({ event }) => event)).to.deep.equal(['SUBMIT']);
  });

  it('deletes only the results of a failed job', async () => {
    const { jobId } = await harness.submit();
    await harness.engine.cancel(jobId);
    await put(harness, resultsPathOf(jobId));
    expect(await sweep()).to.deep.equal([]);
    expect(await files()).to.deep.equal([sidecarPathOf(jobId), inputPathOf(jobId)].toSorted());
    expect(lines).to.deep.equal([]);
  });

  it('keeps all files of completed and pending jobs', async () => {
    const completed = await harness.submit();
    await harness.worker().runOnce();
    const waiting = await harness.submit();
    await put(harness, resultsPathOf(waiting.jobId));
    await sweep();
    for (const { jobId } of [completed, waiting]) {
      expect(await files()).to.include.members([inputPathOf(jobId), resultsPathOf(jobId), sidecarPathOf(jobId)]);
    }
  });

  it('deletes the video and the results of an expired job, and keeps its sidecar', async () => {
    const { jobId } = await harness.submit();
    await harness.worker().runOnce();
    await harness.engine.deleteFiles(jobId);
    await put(harness, inputPathOf(jobId));
    await put(harness, resultsPathOf(jobId));
    await sweep();
    expect(await files()).to.deep.equal([sidecarPathOf(jobId)]);
    expect(lines).to.deep.equal([]);
  });

  it('ends a job with the outcome in its sidecar if its row is outdated', async () => {
    const { jobId } = await harness.submit();
    await putSidecar(harness, aSidecar(jobId, { outcome: completion(jobId) }));
    await put(harness, resultsPathOf(jobId));
    expect(await sweep()).to.deep.equal([]);
    expect((await jobIn(harness.store, jobId)).status).to.equal('completed');
  });

  it('looks up the owners of few files in one query, and makes no query without files', async () => {
    const asked = listenToStandings();
    await sweep();
    expect(asked).to.deep.equal([]);
    const jobIds = [(await harness.submit()).jobId, (await harness.submit()).jobId];
    await sweep();
    expect(asked.map((ids) => ids.toSorted())).to.deep.equal([jobIds]);
  });

  it('looks up at most 5,000 files per query, and every owner', async () => {
    const jobIds = Array.from({ length: 1_667 }, newId);
    await Promise.all(
      jobIds.map(async (jobId) => {
        await harness.recovery.restore(aSidecar(jobId));
        for (const path of [inputPathOf(jobId), resultsPathOf(jobId), sidecarPathOf(jobId)]) await put(harness, path);
      }),
    );
    const asked = listenToStandings();
    expect(await sweep()).to.deep.equal([]);
    expect(asked, '5,001 files').to.have.lengthOf(2);
    expect(asked[1], 'the owner of the last').to.have.lengthOf(1);
    expect([...new Set(asked.flat())].toSorted()).to.deep.equal(jobIds);
    expect(lines).to.deep.equal([]);
  });
});

describe('a sidecar', () => {
  let harness: EngineHarness;
  beforeEach(async () => {
    harness = await EngineHarness.open();
  });
  afterEach(() => harness[Symbol.asyncDispose]());

  it('can be read back', async () => {
    const sidecar = aSidecar(newId());
    await putSidecar(harness, sidecar);
    expect(await readSidecar(harness.storage, sidecar.job_id)).to.deep.equal(sidecar);
  });

  for (const [what, text] of [
    ['empty', ''],
    ['not JSON', '{"job_id":'],
    ['of another shape', '{}'],
    ['that of another job', JSON.stringify(aSidecar(newId()))],
  ] as const) {
    it(`that is ${what} counts as missing`, async () => {
      const jobId = newId();
      await put(harness, sidecarPathOf(jobId), text);
      expect(await readSidecar(harness.storage, jobId)).to.equal(undefined);
    });
  }

  it('that names another video counts as missing, and does not prevent the restoration of other jobs', async () => {
    const [sound, ...damaged] = [newId(), newId(), newId(), newId()];
    for (const [at, jobId] of damaged.entries()) {
      await put(harness, inputPathOf(jobId));
      await putSidecar(harness, aSidecar(jobId, { input_path: ['', '../x.mp4', 'incoming/x'][at] ?? '' }));
    }
    await put(harness, inputPathOf(sound));
    await putSidecar(harness, aSidecar(sound));
    await harness.recover({ damaged: true });
    expect(await harness.store.countByStatus()).to.include({ pending: 1 });
    expect((await jobIn(harness.store, sound)).status).to.equal('pending');
    for (const jobId of damaged) expect(await readSidecar(harness.storage, jobId)).to.equal(undefined);
  });

  it('that cannot be read is an error, not missing', async () => {
    const jobId = newId();
    const path = join(harness.folder, 'video_jobs', sidecarPathOf(jobId));
    expect(await readSidecar(harness.storage, jobId)).to.equal(undefined);
    await symlink(join(harness.folder, 'jobs.duckdb'), path);
    const refusal = await readSidecar(harness.storage, jobId).catch((error: unknown) => error);
    expect(refusal).to.include({ name: 'ServiceError', code: 'path_refused' });
    await rm(path);
  });
});
