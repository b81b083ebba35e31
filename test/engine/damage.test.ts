import { cp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { openResults } from '../../src/engine/job-files.ts';
import { join } from 'node:path';
import { expect } from 'chai';
import { ServiceError } from '../../src/errors.ts';
import type { JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import { rebuild } from '../../src/maintenance/rebuild.ts';
import { EngineHarness, quickFolder } from './engine-harness.ts';
import { brokenPromises } from './promises.ts';
import { jobIn } from '../job-in.ts';

interface Harm {
  readonly what: string;
  /** False if DuckDB considers the rest complete. */
  readonly isNoticed: boolean;
  readonly harm: (database: string, wal: string) => Promise<void>;
}

const HARMS: readonly Harm[] = [
  {
    what: 'a log whose last bytes are cut off',
    isNoticed: false,
    harm: async (_, wal) => truncate(wal, (await stat(wal)).size - 3),
  },
  {
    what: 'a log cut in half',
    isNoticed: false,
    harm: async (_, wal) => truncate(wal, Math.floor((await stat(wal)).size / 2)),
  },
  { what: 'a log that is gone', isNoticed: false, harm: async (_, wal) => rm(wal) },
  {
    what: 'a byte flipped in the middle of the log',
    isNoticed: true,
    harm: async (_, wal) => flip(wal, Math.floor((await stat(wal)).size / 2)),
  },
  {
    what: 'a byte flipped at the end of the log',
    isNoticed: false,
    harm: async (_, wal) => flip(wal, (await stat(wal)).size - 20),
  },
  {
    what: 'a log whose second half is zeroes',
    isNoticed: true,
    harm: async (_, wal) => {
      const { size } = await stat(wal);
      await truncate(wal, Math.floor(size / 2));
      await truncate(wal, size);
    },
  },
  {
    what: 'a database file that is garbage',
    isNoticed: true,
    harm: async (database) => writeFile(database, Buffer.alloc(20_000, 0x5a)),
  },
];

async function flip(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, position);
  } finally {
    await file.close();
  }
}

describe('a damaged database', () => {
  let before: EngineHarness;
  let accepted: readonly JobId[];
  let ended: ReadonlyMap<JobId, string>;

  /**
   * Eight jobs: completed and its files deleted, completed, failed, cancelled, interrupted and pending, running,
   * pending, pending.
   */
  beforeEach(async () => {
    before = await EngineHarness.open();
    const { engine, pipelines } = before;
    const ids: JobId[] = [];
    for (let n = 0; n < 8; n += 1) ids.push((await before.submit()).jobId);
    const [expired, completed, failed, cancelled] = ids;
    await before.worker().runOnce();
    await before.worker().runOnce();
    const { script } = pipelines;
    pipelines.script = async function* () {
      throw new ServiceError('invalid_video', 'no video');
    };
    await before.worker().runOnce();
    pipelines.script = script;
    if (expired === undefined || completed === undefined || failed === undefined || cancelled === undefined) {
      throw new Error('eight jobs were submitted');
    }
    await engine.deleteFiles(expired);
    await engine.cancel(cancelled);
    for (const jobId of [before.queue.dequeue(), before.queue.dequeue(), before.queue.dequeue()]) {
      if (jobId !== undefined && jobId !== cancelled) await engine.start(jobId);
    }
    const interrupted = ids[4];
    if (interrupted === undefined) throw new Error('eight jobs were submitted');
    await engine.dispatch(interrupted, { type: 'INTERRUPT', attempt: 1, code: 'stalled', message: 'no frame' });
    accepted = ids;
    ended = new Map([
      [expired, 'completed'],
      [completed, 'completed'],
      [failed, 'failed'],
      [cancelled, 'failed'],
    ]);
  });
  afterEach(() => before[Symbol.asyncDispose]());

  for (const { what, isNoticed, harm } of HARMS) {
    it(`with ${what} loses no accepted job and runs no ended job again`, async () => {
      const folder = await quickFolder();
      await cp(before.folder, folder, { recursive: true });
      await harm(join(folder, 'jobs.duckdb'), join(folder, 'jobs.duckdb.wal'));
      await using after = await EngineHarness.open({ folder });
      expect(after.store.damage !== undefined, 'noticed').to.equal(isNoticed);
      await after.recover({ damaged: after.store.damage !== undefined });
      if (isNoticed) {
        // Before it is ready, and thus before any request.
        for (const jobId of accepted) {
          expect((await jobIn(after.store, jobId)).status).to.equal(ended.get(jobId) ?? 'pending');
        }
      }
      while (await after.worker().runOnce());
      await after.keepHouse();
      while (await after.worker().runOnce());

      const kept = { store: after.store, storage: after.storage, baseDir: join(folder, 'video_jobs') };
      expect(await brokenPromises(kept, { accepted: new Set(accepted), ended })).to.deep.equal([]);
      const ran = after.pipelines.started.map((path) => path.slice(-40, -4));
      const waited = accepted.filter((jobId) => !ended.has(jobId));
      if (isNoticed) expect(ran).to.deep.equal(waited);
      else expect(ran).to.have.members(waited);
      const [expired = '', , failed = '', cancelled = ''] = ended.keys();
      for (const [jobId, sidecar] of [expired, failed, cancelled].map((id) => [id, `${id}.json`] as const)) {
        const text = await readFile(join(before.folder, 'video_jobs', sidecar), 'utf8');
        expect(await readFile(join(folder, 'video_jobs', sidecar), 'utf8'), jobId).to.equal(text);
      }
    });
  }

  it('is restored from the sidecars by rebuild', async () => {
    const folder = await quickFolder();
    await cp(before.folder, folder, { recursive: true });
    await rm(join(folder, 'jobs.duckdb'));
    await rm(join(folder, 'jobs.duckdb.wal'));
    const counts = await rebuild(folder, 2, createLog('silent'));
    expect(counts).to.deep.equal({ pending: 4, running: 0, completed: 2, failed: 2 });
    await using after = await EngineHarness.open({ folder });
    for (const [jobId, status] of ended) expect((await jobIn(after.store, jobId)).status).to.equal(status);
  });

  it('keeps the times of acceptance and end, and a valid history', async () => {
    const [, completed] = accepted;
    if (completed === undefined) throw new Error('eight jobs were submitted');
    const then = await jobIn(before.store, completed);
    const folder = await quickFolder();
    await cp(before.folder, folder, { recursive: true });
    await rm(join(folder, 'jobs.duckdb'));
    await rm(join(folder, 'jobs.duckdb.wal'));
    await using after = await EngineHarness.open({ folder });
    await after.recover({ damaged: true });
    const { acceptedSeq: _, ...known } = then;
    const { acceptedSeq: __, ...found } = await jobIn(after.store, completed);
    expect(found).to.deep.equal(known);
    const events = (await after.store.transitionsOf(completed)).map(({ event }) => event);
    expect(events).to.deep.equal(['SUBMIT', 'START', 'COMPLETE']);
    expect(await openResults(after.storage, await jobIn(after.store, completed))).to.contain(completed);
  });
});
