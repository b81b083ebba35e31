import { spawnSync } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { DuckDBConnection } from '@duckdb/node-api';
import { expect } from 'chai';
import { pino } from 'pino';
import { ServiceError } from '../../src/errors.ts';
import { Database } from '../../src/store/database.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { MIGRATIONS_FOLDER, migrateDown, migrateUp, migrationStatus } from '../../src/store/migrate.ts';

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ServiceError)) throw new Error('no refusal', { cause: error });
  return `${error.code}: ${error.message}`;
}

describe('migrations', () => {
  let folder: string;
  let files: URL;
  let database: Database;
  let connection: DuckDBConnection;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-migrate-'));
    await cp(MIGRATIONS_FOLDER, join(folder, 'migrations'), { recursive: true });
    files = pathToFileURL(`${join(folder, 'migrations')}/`);
    database = await Database.open(join(folder, 'jobs.duckdb'));
    connection = await database.connect();
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Migrations of the project by name. */
  const names = async (): Promise<readonly string[]> =>
    (await readdir(MIGRATIONS_FOLDER))
      .filter((file) => file.endsWith('.up.sql'))
      .toSorted()
      .map((file) => file.slice('0000_'.length, -'.up.sql'.length));

  /** Adds a migration after those of the project: the next one, or one `gap` numbers later. */
  async function add(name: string, up: string, down: string, gap = 0): Promise<number> {
    const version = (await names()).length + 1 + gap;
    const file = `${String(version).padStart(4, '0')}_${name}`;
    await writeFile(new URL(`${file}.up.sql`, files), up);
    await writeFile(new URL(`${file}.down.sql`, files), down);
    return version;
  }

  async function tables(): Promise<readonly string[]> {
    const rows = await connection.runAndReadAll('SELECT table_name FROM duckdb_tables() ORDER BY ALL');
    return rows.getRows().map(([name]) => String(name));
  }

  it('apply once and record the time', async () => {
    const [before] = await migrationStatus(connection, files);
    expect(before?.appliedAt).to.equal(null);
    const applied = await migrateUp(connection, files);
    for (const { appliedAt } of applied) expect(Math.abs(Date.now() - Date.parse(appliedAt ?? ''))).to.be.below(60_000);
    expect(await tables()).to.include.members(['jobs', 'job_transitions', 'schema_migrations']);
    expect(await migrateUp(connection, files)).to.deep.equal(applied);
  });

  it('go up from any version and down one at a time to the start', async () => {
    const empty = await tables();
    await migrateUp(connection, files);
    const first = await tables();
    await add(
      'notes',
      'CREATE TABLE notes (a INTEGER); CREATE TABLE more (b INTEGER);',
      'DROP TABLE more; DROP TABLE notes;',
    );
    const known = await names();
    expect((await migrateUp(connection, files)).map(({ name }) => name)).to.deep.equal([...known, 'notes']);
    expect(await tables()).to.include.members(['notes', 'more']);
    expect((await migrateDown(connection, files))?.name).to.equal('notes');
    expect(await tables()).to.deep.equal(first);
    for (const name of known.toReversed()) expect((await migrateDown(connection, files))?.name).to.equal(name);
    expect(await migrateDown(connection, files)).to.equal(undefined);
    expect((await tables()).filter((name) => name !== 'schema_migrations')).to.deep.equal(empty);
  });

  it('change nothing if a statement fails', async () => {
    await migrateUp(connection, files);
    const version = await add(
      'broken',
      'CREATE TABLE half (a INTEGER); CREATE TABLE half (a INTEGER);',
      'DROP TABLE half;',
    );
    const failure = await migrateUp(connection, files).catch((error: unknown) => String(error));
    expect(failure).to.contain('half');
    expect(await tables()).to.not.include('half');
    expect((await migrationStatus(connection, files))[version - 1]?.appliedAt).to.equal(null);
  });

  it('of a newer release are rejected', async () => {
    const version = await add('later', 'CREATE TABLE later (a INTEGER);', 'DROP TABLE later;');
    await migrateUp(connection, files);
    const refusal = await refusalOf(migrateUp(connection));
    expect(refusal).to.match(/^schema_too_new: /);
    expect(refusal).to.contain(`${version} (later)`);
    connection.closeSync();
    database.close();
    const path = join(folder, 'jobs.duckdb');
    expect(await refusalOf(DuckDBJobStore.open({ path, log: pino({ level: 'silent' }) }))).to.match(/^schema_too_new/);
    database = await Database.open(path);
  });

  it('that were edited after they were applied are rejected and named', async () => {
    await migrateUp(connection, files);
    await appendFile(new URL('0001_jobs.up.sql', files), '-- one word more\n');
    expect(await refusalOf(migrateUp(connection, files))).to.equal(
      'store_unavailable: migration 1 (jobs) is not the one that was applied to this database as 1 (jobs): ' +
        'restore its file and put the change into a new migration',
    );
  });

  it('that were applied under another number are rejected', async () => {
    await migrateUp(connection, files);
    const last = (await names()).length;
    await connection.run('UPDATE schema_migrations SET version = version + 1 WHERE version = $1', [last]);
    expect(await refusalOf(migrationStatus(connection, files))).to.contain(`applied to this database as ${last + 1} (`);
  });

  it('with a gap in their numbers are rejected', async () => {
    const version = await add('jump', 'SELECT 1;', 'SELECT 1;', 1);
    expect(await refusalOf(migrateUp(connection, files))).to.equal(
      `store_unavailable: 000${version}_jump.up.sql is not the name of migration ${version - 1}`,
    );
  });

  it('can be applied by hand, but not under a running service', async () => {
    const tool = fileURLToPath(new URL('../../tools/migrate.js', import.meta.url));
    const data = join(folder, 'data');
    await mkdir(data);
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [tool, ...args], { encoding: 'utf8', env: { ...process.env, DATA_DIR: data } });
    expect(run('--help').stdout).to.contain('up|down|status|rebuild');
    expect(run('up').stdout).to.match(/^0001 jobs +\d{4}-/);
    const known = await names();
    expect(run('down').stdout).to.match(new RegExp(`^reverted 000${known.length} ${known.at(-1)}`));
    const held = await Database.open(join(data, 'jobs.duckdb'));
    const refused = run('up');
    held.close();
    expect([refused.status, refused.stderr]).to.satisfy(
      ([status, text]: [number, string]) =>
        status === 1 && text.includes(`(PID ${process.pid})`) && text.includes('Stop that process first'),
    );
  });
});
