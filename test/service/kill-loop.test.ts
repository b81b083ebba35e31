import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { segmentsPathOf } from '../../src/engine/sidecar.ts';
import type { JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import { IndexFile } from '../../src/search/index-file.ts';
import { LocalStorageService } from '../../src/storage/local.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { killLoop, loopFolder } from '../../tools/kill-loop.ts';
import { allJobs, brokenPromises } from '../engine/promises.ts';

/** `npm run killloop` has more, or as many as KILL_ROUNDS says. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 5);
const MS_PER_ROUND = 30_000;

/** The texts in the search index, as `job_id segment`; one that is in it twice is listed twice. */
async function indexedTexts(path: string): Promise<readonly unknown[]> {
  const file = await IndexFile.openPresent(path, { readOnly: true });
  try {
    const connection = await file.connect();
    const found = await connection.runAndReadAll(
      `SELECT job_id::VARCHAR || coalesce(' ' || segment, '')
        FROM videos LEFT JOIN (SELECT video, segment FROM documents WHERE kind = 'text') USING (video)`,
    );
    return found.getRowsJS().map(([line]) => line);
  } finally {
    file.close();
  }
}

/** As in the index: a line for each text, or one with the id alone. */
async function storedTexts(storage: LocalStorageService, jobId: JobId): Promise<readonly string[]> {
  const text = await readFile(await storage.loadFile(segmentsPathOf(jobId)), 'utf8');
  const lines = text.split('\n').filter((line) => line.startsWith('{"kind":"text"'));
  return lines.length === 0 ? [jobId] : lines.map((line) => `${jobId} ${line.replace(/,$/, '')}`);
}

describe('a service killed again and again under load', () => {
  it(`keeps every promise over ${ROUNDS} rounds`, async () => {
    await using folder = await loopFolder();
    const { dataDir } = folder;
    const began = performance.now();
    const report = await killLoop(dataDir, {
      rounds: ROUNDS,
      submitters: 8,
      killWithinMs: 1_500,
      signal: AbortSignal.timeout(ROUNDS * MS_PER_ROUND + 120_000),
      onRound: (round, { accepted }) => {
        if (round % 20 === 0) console.log(`      ${round} kills, ${accepted.size} jobs accepted`);
      },
    });
    expect(report.broken).to.deep.equal([]);
    expect(report.kills).to.equal(ROUNDS);

    const baseDir = join(dataDir, 'video_jobs');
    const log = createLog('silent');
    const store = await DuckDBJobStore.open({ path: join(dataDir, 'jobs.duckdb'), log });
    try {
      const storage = await LocalStorageService.open({ baseDir });
      await storage.sweepIncoming(); // as the next start would
      expect(await brokenPromises({ store, storage, baseDir }, report)).to.deep.equal([]);
      const jobs = await allJobs(store);
      const searchable = jobs.filter(({ status }) => status === 'completed').map(({ jobId }) => jobId);
      const stored = await Promise.all(searchable.map((jobId) => storedTexts(storage, jobId)));
      expect(await indexedTexts(join(dataDir, 'search.duckdb'))).to.have.members(stored.flat());
      expect(stored.flat().join()).to.contain('Gate B12');
      expect(report.accepted).to.have.property('size').above(0);
      const interrupted = jobs.filter(({ attempt }) => attempt > 1).length;
      const seconds = Math.round((performance.now() - began) / 1_000);
      console.log(
        `      ${ROUNDS} kills, ${report.accepted.size} jobs accepted, ${jobs.length} in the database, ` +
          `${interrupted} interrupted and run again; 0 lost, 0 ends changed, 0 promises broken; ${seconds} s`,
      );
    } finally {
      await store.close();
    }
  }).timeout(ROUNDS * MS_PER_ROUND + 150_000);
});
