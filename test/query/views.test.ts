import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { ServiceError } from '../../src/errors.ts';
import type { FrameResult, Job } from '../../src/job.ts';
import { EngineHarness } from '../engine/engine-harness.ts';
import { rowsOf } from './query-harness.ts';
import { jobIn } from '../job-in.ts';

const COLUMNS = {
  jobs:
    'job_id VARCHAR, pipeline_id VARCHAR, status VARCHAR, frame_stride BIGINT, max_frames BIGINT, ' +
    'created_at TIMESTAMP WITH TIME ZONE, ended_at TIMESTAMP WITH TIME ZONE, duration_ms BIGINT, error_code VARCHAR, ' +
    'error_message VARCHAR, attempt INTEGER, expired_at TIMESTAMP WITH TIME ZONE, file_name VARCHAR, tag VARCHAR, ' +
    'width BIGINT, height BIGINT, video_duration_ms DOUBLE, frame_rate DOUBLE, codec VARCHAR',
  frames: 'job_id VARCHAR, frame_index BIGINT, timestamp_ms DOUBLE, text VARCHAR, result JSON',
  detections:
    'job_id VARCHAR, frame_index BIGINT, timestamp_ms DOUBLE, label VARCHAR, confidence DOUBLE, x DOUBLE, y DOUBLE, ' +
    'width DOUBLE, height DOUBLE',
  texts:
    'job_id VARCHAR, frame_index BIGINT, timestamp_ms DOUBLE, text VARCHAR, confidence DOUBLE, x DOUBLE, y DOUBLE, ' +
    'width DOUBLE, height DOUBLE',
  segments:
    'job_id VARCHAR, kind VARCHAR, start_ms DOUBLE, end_ms DOUBLE, text VARCHAR, label VARCHAR, max_count BIGINT, ' +
    'confidence DOUBLE, x DOUBLE, y DOUBLE, width DOUBLE, height DOUBLE, frames BIGINT, frame_index BIGINT',
  tracks:
    'job_id VARCHAR, track_id BIGINT, label VARCHAR, start_ms DOUBLE, end_ms DOUBLE, confidence DOUBLE, x DOUBLE, ' +
    'y DOUBLE, width DOUBLE, height DOUBLE, frames BIGINT',
  damaged: 'job_id VARCHAR, readable_frames BIGINT',
};

const line = (text: string) => ({ text, confidence: 0.5, bbox: [1, 2, 3, 4] as [number, number, number, number] });

describe('the views of a query', function () {
  let harness: EngineHarness;
  beforeEach(async () => {
    harness = await EngineHarness.open();
  });
  afterEach(() => harness[Symbol.asyncDispose]());

  /** A job of the real worker with these results; without results, one that failed midway. */
  const run = async (results?: readonly FrameResult[]): Promise<Job> => {
    harness.pipelines.script = async function* scripted() {
      yield* results ?? [{ frame_index: 0, result: { timestamp_ms: 0, text: 'half' } }];
      if (results === undefined) throw new ServiceError('invalid_video', 'It stops in the middle');
    };
    const job = await harness.submit();
    await harness.worker().runOnce();
    return job;
  };
  const resultsFile = ({ jobId }: Job) => join(harness.folder, 'video_jobs', `${jobId}_results.json`);

  it('are empty, with all their columns, over an empty data folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'query-'));
    try {
      for (const [view, columns] of Object.entries(COLUMNS)) {
        const described = await rowsOf(folder, `FROM (DESCRIBE ${view})`);
        expect(described.map((row) => [row['column_name'], row['column_type']].join(' ')).join(', ')).to.equal(columns);
        expect(await rowsOf(folder, `FROM ${view}`)).to.deep.equal([]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('list segments, scenes and tracks of completed jobs, those of deleted files no longer', async () => {
    const frames = Array.from({ length: 6 }, (_, at): FrameResult => {
      const lines = at < 4 ? [line('It says "so", {there}')] : [];
      const car = { label: 'car', confidence: 0.8, bbox: [10 + at, 20, 50, 40] as [number, number, number, number] };
      return { frame_index: 5 * at, result: { timestamp_ms: 200 * at, detections: [car], text: '', lines } };
    });
    const job = await run(frames);
    await run();
    const found = await rowsOf(
      harness.folder,
      'SELECT kind, start_ms, end_ms, text, label, max_count, x, frames, frame_index FROM segments ORDER BY kind DESC',
    );
    const nothing = { text: null, label: null, max_count: null, x: null, frames: null, frame_index: null };
    const text = 'It says "so", {there}';
    expect(found).to.deep.equal([
      { ...nothing, kind: 'text', start_ms: 0, end_ms: 800, text, x: 1, frames: 4 },
      { ...nothing, kind: 'scene', start_ms: 0, end_ms: 800, text, frame_index: 0 },
      { ...nothing, kind: 'object', start_ms: 0, end_ms: 1200, label: 'car', max_count: 1, x: 10, frames: 6 },
    ]);
    expect(await rowsOf(harness.folder, 'SELECT job_id, track_id, label, end_ms, frames FROM tracks')).to.deep.equal([
      { job_id: job.jobId, track_id: 1, label: 'car', end_ms: 1200, frames: 6 },
    ]);
    await harness.engine.deleteFiles(job.jobId);
    for (const view of ['segments', 'tracks']) expect(await rowsOf(harness.folder, `FROM ${view}`)).to.deep.equal([]);
  });

  it('have jobs in every state while the service has its database open', async () => {
    const completed = await run([]);
    const failed = await run();
    const waiting = await harness.submit();
    const jobs = await rowsOf(harness.folder, 'FROM jobs');
    expect(jobs.map(({ job_id: id, status }) => [id, status])).to.deep.equal([
      [completed.jobId, 'completed'],
      [failed.jobId, 'failed'],
      [waiting.jobId, 'unfinished'],
    ]);
    const { updatedAt, createdAt } = await jobIn(harness.store, failed.jobId);
    expect(jobs[1]).to.deep.equal({
      job_id: failed.jobId,
      pipeline_id: 'ocr_only',
      status: 'failed',
      frame_stride: 1,
      max_frames: null,
      created_at: createdAt,
      ended_at: updatedAt,
      duration_ms: Date.parse(updatedAt) - Date.parse(createdAt),
      error_code: 'invalid_video',
      error_message: 'It stops in the middle',
      attempt: 1,
      expired_at: null,
      file_name: null,
      tag: null,
      width: null,
      height: null,
      video_duration_ms: null,
      frame_rate: null,
      codec: null,
    });
    expect(jobs[2]).to.include({ ended_at: null, duration_ms: null, error_code: null, attempt: null });
  });

  it('have a row for each frame, each detection and each line of text', async () => {
    const text = 'A "quote", a comma\nand ünïcode 漢\u2028\u0007';
    const { jobId } = await run([
      { frame_index: 0, result: { timestamp_ms: 0.5, detections: [], text, lines: [line(text)], mine: { deep: [1] } } },
      {
        frame_index: 10,
        result: {
          timestamp_ms: 400,
          detections: [
            { label: 'person', confidence: 0.875, bbox: [1.5, 2, 30, 40] },
            { label: 'dog', confidence: 1, bbox: [5, 6, 7, 8] },
          ],
        },
      },
    ]);
    const frames = await rowsOf(
      harness.folder,
      "SELECT * EXCLUDE (result), result->'$.mine.deep[0]' AS mine FROM frames",
    );
    expect(frames).to.deep.equal([
      { job_id: jobId, frame_index: 0, timestamp_ms: 0.5, text, mine: 1 },
      { job_id: jobId, frame_index: 10, timestamp_ms: 400, text: null, mine: null },
    ]);
    const at = { job_id: jobId, frame_index: 10, timestamp_ms: 400 };
    expect(await rowsOf(harness.folder, 'FROM detections')).to.deep.equal([
      { ...at, label: 'person', confidence: 0.875, x: 1.5, y: 2, width: 30, height: 40 },
      { ...at, label: 'dog', confidence: 1, x: 5, y: 6, width: 7, height: 8 },
    ]);
    expect(await rowsOf(harness.folder, 'FROM texts')).to.deep.equal([
      { job_id: jobId, frame_index: 0, timestamp_ms: 0.5, text, confidence: 0.5, x: 1, y: 2, width: 3, height: 4 },
    ]);
    expect(await rowsOf(harness.folder, 'FROM damaged')).to.deep.equal([]);
  });

  it('omit results of failed, cancelled and expired jobs', async () => {
    const expired = await run([{ frame_index: 0, result: { timestamp_ms: 0, text: 'expired' } }]);
    const kept = await readFile(resultsFile(expired));
    await harness.engine.deleteFiles(expired.jobId);
    const failed = await run();
    await writeFile(resultsFile(expired), kept); // as between the commit and the deletion
    await writeFile(resultsFile(failed), kept);
    await writeFile(join(harness.folder, 'video_jobs', `${uuidv7()}_results.json`), kept);
    await writeFile(join(harness.folder, 'video_jobs', 'notes_results.json'), kept);
    const completed = await run([{ frame_index: 0, result: { timestamp_ms: 0, text: 'kept' } }]);
    expect(await rowsOf(harness.folder, 'SELECT job_id, text FROM frames')).to.deep.equal([
      { job_id: completed.jobId, text: 'kept' },
    ]);
    const [row] = await rowsOf(harness.folder, `SELECT expired_at FROM jobs WHERE job_id = '${expired.jobId}'`);
    expect(row?.['expired_at']).to.match(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
  });

  it('read the readable part of damaged files, and name them', async () => {
    const results = [0, 1, 2].map((index) => ({
      frame_index: index,
      result: { timestamp_ms: index, text: `t${index}` },
    }));
    const submitted = await Promise.all(Array.from({ length: 6 }, async () => harness.submit()));
    const jobs = submitted.toSorted((a, b) => (a.jobId < b.jobId ? -1 : 1));
    harness.pipelines.script = async function* scripted() {
      yield* results;
    };
    for (const _ of jobs) await harness.worker().runOnce();
    const [whole = '', cut = '', edge = '', bytes = '', zeros = '', empty = ''] = jobs.map(resultsFile);
    const text = await readFile(whole, 'utf8');
    await truncate(cut, text.length - 30);
    await truncate(edge, text.lastIndexOf('{') - '"result":'.length - '{"frame_index":2,'.length);
    await writeFile(
      bytes,
      Buffer.concat([Buffer.from(text.slice(0, 60)), Buffer.from([0xff, 0xfe]), Buffer.from(text.slice(60))]),
    );
    await writeFile(zeros, Buffer.alloc(text.length));
    await truncate(empty, 0);
    await writeFile(join(harness.folder, 'video_jobs', `${uuidv7()}.json`), '{"job_id":');
    const damaged = await rowsOf(harness.folder, 'FROM damaged ORDER BY ALL');
    expect(damaged).to.deep.equal(
      [2, 2, 2, 0, 0].map((frames, index) => ({ job_id: jobs[index + 1]?.jobId, readable_frames: frames })),
    );
    const counted = await rowsOf(
      harness.folder,
      'SELECT job_id, count(*)::INT AS n FROM frames GROUP BY ALL ORDER BY ALL',
    );
    expect(counted.map(({ n }) => n)).to.deep.equal([3, 2, 2, 2]);
  });

  it('read a frame of many megabytes, and a file beyond the largest JSON object that DuckDB takes by itself', async () => {
    const text = 'x'.repeat(6 * 1024 * 1024);
    await run([0, 1, 2].map((index) => ({ frame_index: index, result: { timestamp_ms: 0, text } })));
    expect(await rowsOf(harness.folder, 'SELECT frame_index, strlen(text)::INT AS n FROM frames')).to.deep.equal(
      [0, 1, 2].map((index) => ({ frame_index: index, n: text.length })),
    );
    expect(await rowsOf(harness.folder, 'FROM damaged')).to.deep.equal([]);
  });

  it('lose no line where a file is larger than what is read at once', async () => {
    const frames = 60_000;
    const texts = Array.from({ length: 97 }, (_, length) => line('y'.repeat(10 * length)));
    await run(
      Array.from({ length: frames }, (_, index) => ({
        frame_index: index,
        result: { timestamp_ms: index, lines: [texts[index % 97] ?? line(''), texts[(index * 31) % 97] ?? line('')] },
      })),
    );
    const [counted] = await rowsOf(
      harness.folder,
      'SELECT count(*)::INT AS n, sum(frame_index)::BIGINT AS sum FROM frames',
    );
    expect(counted).to.deep.equal({ n: frames, sum: (frames * (frames - 1)) / 2 });
    expect(await rowsOf(harness.folder, 'SELECT count(*)::INT AS n FROM texts')).to.deep.equal([{ n: 2 * frames }]);
    expect(await rowsOf(harness.folder, 'FROM damaged')).to.deep.equal([]);
  });

  it('open one file for one job', async () => {
    const jobs = [
      await run([{ frame_index: 0, result: { timestamp_ms: 0, text: 'a', lines: [line('a')] } }]),
      await run([]),
    ];
    for (const view of ['frames', 'detections', 'texts']) {
      const [row] = await rowsOf(
        harness.folder,
        `SELECT count(*)::INT AS n FROM ${view} WHERE job_id = '${jobs[0]?.jobId}'`,
      );
      expect(row).to.deep.equal({ n: view === 'detections' ? 0 : 1 });
    }
  });

  it('read a folder with special characters of patterns and SQL in its name', async () => {
    const folder = join(harness.folder, "it's [a-z]*? {x}");
    await mkdir(join(folder, 'video_jobs'), { recursive: true });
    const { jobId } = await run([{ frame_index: 0, result: { timestamp_ms: 0, text: 'found' } }]);
    for (const name of [`${jobId}.json`, `${jobId}_results.json`]) {
      await writeFile(join(folder, 'video_jobs', name), await readFile(join(harness.folder, 'video_jobs', name)));
    }
    expect(await rowsOf(folder, 'SELECT text FROM frames')).to.deep.equal([{ text: 'found' }]);
  });
});
