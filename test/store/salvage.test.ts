import { mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Database } from '../../src/store/database.ts';
import { migrateUp } from '../../src/store/migrate.ts';
import { markForRepair, readRepairMark } from '../../src/store/repair-mark.ts';
import { openRepaired } from '../../src/store/repair.ts';

const HEADER_BYTES = 3 * 4096;
const BLOCK_BYTES = 262_144;
const JOBS = 40_000;

describe('the salvage of a damaged database', () => {
  let folder: string;
  let path: string;
  /** Blocks with rows of `jobs` and of `job_transitions`. */
  let blocks: { readonly jobs: readonly number[]; readonly transitions: readonly number[] };
  let sound: Buffer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-salvage-'));
    path = join(folder, 'jobs.duckdb');
    const database = await Database.open(path);
    const connection = await database.connect();
    await migrateUp(connection);
    await connection.run(
      `INSERT INTO jobs BY NAME SELECT uuidv7() AS job_id, 'completed' AS status, 'ocr_only' AS pipeline_id,
         '{"frame_stride":1}' AS options, uuid() || '.mp4' AS input_path, uuid() || '_results.json' AS output_path,
         r AS accepted_seq, 3 AS revision, 1 AS attempt, 1 AS machine_version, '{"x":"' || uuid() || '"}' AS snapshot,
         TIMESTAMP '2026-01-01' AS created_at, TIMESTAMP '2026-01-01' AS updated_at FROM range(1, ${JOBS + 1}) t(r)`,
    );
    await connection.run(
      `INSERT INTO job_transitions BY NAME SELECT job_id, s AS seq, 1 AS attempt, 'pending' AS from_state,
         'START' AS event, 'running' AS to_state, '{"x":"' || uuid() || '"}' AS context, created_at AS occurred_at
       FROM jobs, range(1, 4) t(s) ORDER BY accepted_seq, seq`,
    );
    await connection.run('CHECKPOINT');
    const blocksOf = async (table: string): Promise<number[]> =>
      (
        await connection.runAndReadAll(
          `SELECT DISTINCT block_id FROM pragma_storage_info('${table}') WHERE block_id >= 0 ORDER BY 1`,
        )
      )
        .getRows()
        .map(([id]) => Number(id));
    blocks = { jobs: await blocksOf('jobs'), transitions: await blocksOf('job_transitions') };
    database.close();
    sound = await readFile(path);
  });
  beforeEach(async () => {
    for (const name of await readdir(folder)) await rm(join(folder, name));
    await writeFile(path, sound);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function harm(block: number): Promise<void> {
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(64, 0x5a), 0, 64, HEADER_BYTES + block * BLOCK_BYTES + 5000);
    await file.close();
  }

  /** The content of a database: its jobs, those with an incomplete history, and transitions of no job. */
  async function contentsOf(database: Database) {
    const connection = await database.connect();
    const one = async (sql: string): Promise<number> => Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0]);
    return {
      jobs: await one('SELECT count(*) FROM jobs'),
      partial: await one(
        `SELECT count(*) FROM (SELECT job_id FROM jobs LEFT JOIN job_transitions USING (job_id)
           GROUP BY job_id HAVING count(DISTINCT seq) <> 3 OR count(*) <> 3)`,
      ),
      orphans: await one('SELECT count(*) FROM job_transitions WHERE job_id NOT IN (SELECT job_id FROM jobs)'),
    };
  }

  for (const table of ['jobs', 'transitions'] as const) {
    it(`keeps every job outside the damaged block of ${table}, with its complete history`, async () => {
      const list = blocks[table];
      await harm(list[Math.floor(list.length / 2)] ?? expect.fail('the table has no block'));
      const harmed = await readFile(path);
      const { database, damage } = await openRepaired(path, { thorough: true });
      const { jobs, ...faults } = await contentsOf(database);
      database.close();
      expect(faults).to.deep.equal({ partial: 0, orphans: 0 });
      expect(jobs).to.be.within(1, JOBS - 1);
      expect(damage?.lost).to.equal('rows');
      const [aside = ''] = damage?.setAside ?? [];
      expect((await readFile(aside)).equals(harmed), 'set aside as it was found').to.equal(true);
      expect(await readRepairMark(path)).to.match(/Corrupt database file/);
    });
  }

  it('finds no damage in an intact file, and leaves no other file', async () => {
    const { database, damage } = await openRepaired(path, { thorough: true });
    expect(damage).to.equal(undefined);
    expect(await contentsOf(database)).to.deep.equal({ jobs: JOBS, partial: 0, orphans: 0 });
    database.close();
    expect((await readdir(folder)).filter((name) => !name.startsWith('jobs.duckdb.wal'))).to.deep.equal([
      'jobs.duckdb',
    ]);
  });

  it('reads every row after noted damage, and reports it until it is repaired', async () => {
    await harm(blocks.jobs.at(-1) ?? expect.fail('the table has no block'));
    await markForRepair(path, 'found while it ran');
    const { database, damage } = await openRepaired(path);
    database.close();
    expect(damage?.setAside).to.have.lengthOf(1);
    const again = await openRepaired(path);
    again.database.close();
    expect(again.damage).to.deep.equal({ setAside: [], lost: 'rows' });
  });

  for (const isMoved of [false, true]) {
    it(`is completed after a kill ${isMoved ? 'between' : 'before'} the two moves`, async () => {
      await markForRepair(path, 'damage');
      await writeFile(`${path}.salvaged`, sound);
      if (isMoved) await rm(path);
      else await writeFile(path, 'the damaged database');
      const { database, damage } = await openRepaired(path);
      expect(await contentsOf(database)).to.deep.equal({ jobs: JOBS, partial: 0, orphans: 0 });
      database.close();
      expect(damage?.lost).to.equal('rows');
      const names = await readdir(folder);
      expect(names.filter((name) => name.includes('salvage'))).to.deep.equal([]);
      expect(names.filter((name) => name.includes('.damaged-'))).to.have.lengthOf(isMoved ? 0 : 1);
    });
  }
});
