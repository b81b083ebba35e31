import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { problemSchema, type Problem } from '../../src/http/schemas.ts';
import { Database } from '../../src/store/database.ts';
import { followJob, statusOf, submitVideo } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';

const HEADER_BYTES = 3 * 4096;
const BLOCK_BYTES = 262_144;
const LOOK_EVERY_MS = 20;

describe('a service whose database file is damaged', () => {
  let folder: string;
  let dataDir: string;
  let service: ServiceProcess | undefined;
  const { signal } = new AbortController();

  const start = async (): Promise<ServiceProcess> => {
    service = await startService({ dataDir, signal, settings: { PIPELINE_THREADS: '1', LOG_LEVEL: 'silent' } });
    return service;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-damaged-'));
    dataDir = join(folder, 'data');
  });
  afterEach(async () => {
    await service?.kill();
    service = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  it('detects it by itself, reports it everywhere, and has every job after a restart', async () => {
    const first = await start();
    const videoPath = join(folder, 'video.mp4');
    makeVideo({ path: videoPath, width: 96, height: 64, frames: 2 });
    const jobId = await submitVideo({ url: first.url, signal, videoPath, pipelineId: 'ocr_only' });
    await followJob(jobId, { url: first.url, signal }, () => {});
    await first.stop();
    await damageSnapshots();

    const second = await start();
    expect(await untilUnavailable(`${second.url}/ready`)).to.include({ code: 'not_ready' });
    for (const path of ['/health', `/video/status/${jobId}`, `/video/results/${jobId}`, '/video/jobs', '/metrics']) {
      const problem = await untilUnavailable(`${second.url}${path}`);
      expect(problem, path).to.include({ code: 'store_unavailable' });
      expect(problem.detail, path).to.match(/^The job database is damaged\. A restart/);
    }
    expect(await second.stop()).to.equal(0);

    const third = await start();
    expect(await statusOf(jobId, { url: third.url, signal })).to.include({ status: 'completed' });
    for (const path of ['/ready', '/health', `/video/results/${jobId}`, '/video/jobs']) {
      expect((await fetch(`${third.url}${path}`)).status, path).to.equal(200);
    }
    const names = await readdir(dataDir);
    expect(names.filter((name) => name.startsWith('jobs.duckdb.damaged-'))).to.have.lengthOf(1);
    expect(names).not.to.include('jobs.duckdb.repair');
  });

  /** The problem of the first response with 503. */
  async function untilUnavailable(url: string): Promise<Problem> {
    for (;;) {
      const response = await fetch(url);
      const text = await response.text();
      if (response.status === 503) return problemSchema.parse(JSON.parse(text));
      await wait(LOOK_EVERY_MS);
    }
  }

  /** Adds so many jobs that the snapshots have separate blocks, which no start needs, and damages one of them. */
  async function damageSnapshots(): Promise<void> {
    const path = join(dataDir, 'jobs.duckdb');
    const database = await Database.open(path);
    const connection = await database.connect();
    await connection.run(
      `INSERT INTO jobs BY NAME SELECT uuidv7() AS job_id, 'completed' AS status, 'ocr_only' AS pipeline_id,
         '{}' AS options, uuid() || '.mp4' AS input_path, uuid() || '_results.json' AS output_path, r AS accepted_seq,
         3 AS revision, 1 AS attempt, 1 AS machine_version, '{"x":"' || uuid() || uuid() || '"}' AS snapshot,
         TIMESTAMP '2026-01-01' AS created_at, TIMESTAMP '2026-01-01' AS updated_at FROM range(2, 40000) t(r)`,
    );
    await connection.run('CHECKPOINT');
    const found = await connection.runAndReadAll(
      `SELECT block_id FROM pragma_storage_info('jobs') WHERE block_id >= 0 GROUP BY block_id
       HAVING bool_and(column_name = 'snapshot') ORDER BY block_id`,
    );
    const block = Number(found.getRows()[0]?.[0]);
    database.close();
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(64, 0x5a), 0, 64, HEADER_BYTES + block * BLOCK_BYTES + 1000);
    await file.close();
  }
});
