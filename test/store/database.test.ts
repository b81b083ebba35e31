import { mkdtemp, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Database, isInvalidated } from '../../src/store/database.ts';
import { openRepaired } from '../../src/store/repair.ts';
import { Session } from '../../src/store/session.ts';
import { refusalOf } from '../refusal-of.ts';

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelstate-database-'));
  path = join(folder, 'jobs.duckdb');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Returns the numbers in table `t`. */
async function numbersIn(database: Database): Promise<readonly unknown[]> {
  const connection = await database.connect();
  return (await connection.runAndReadAll('SELECT a FROM t ORDER BY a')).getRows().map(([a]) => a);
}

/** Creates a file whose table `t` has the numbers; with `log`, like after a kill, each in a commit of the log. */
async function make(file: string, numbers: readonly number[], { log = false } = {}): Promise<void> {
  const database = await Database.open(file);
  const connection = await database.connect();
  await connection.run('CREATE TABLE IF NOT EXISTS t (a INTEGER)');
  for (const number of numbers) await connection.run('INSERT INTO t VALUES ($1)', [number]);
  const wal = await readFile(`${file}.wal`);
  const data = await readFile(file);
  database.close();
  if (!log) return;
  await writeFile(file, data);
  await writeFile(`${file}.wal`, wal);
}

describe('Database', () => {
  it('opens a path with quotes', async () => {
    const odd = join(folder, "it's ''here''.duckdb");
    await make(odd, [1]);
    expect(await readdir(folder)).to.deep.equal(["it's ''here''.duckdb"]);
    const again = await Database.open(odd);
    expect(await numbersIn(again)).to.deep.equal([1]);
    again.close();
  });

  it('changes nothing in a read-only database', async () => {
    await make(path, [1]);
    const before = await readFile(path);
    const database = await Database.open(path, { readOnly: true });
    expect(await numbersIn(database)).to.deep.equal([1]);
    const connection = await database.connect();
    expect(String(await failureOf(connection.run('INSERT INTO t VALUES (2)')))).to.contain('read-only');
    database.close();
    expect(await readdir(folder)).to.deep.equal(['jobs.duckdb']);
    expect((await readFile(path)).equals(before)).to.equal(true);
  });

  it('creates no file in read-only mode, and names the missing one', async () => {
    const refusal = await refusalOf(Database.open(path, { readOnly: true }));
    expect([refusal.code, refusal.retryable]).to.deep.equal(['store_unavailable', true]);
    if (!(refusal.cause instanceof Error)) throw new Error('the cause is missing');
    expect(refusal.message).to.equal(`cannot open ${path}: ${refusal.cause.message}`);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('uses one thread and never writes a checkpoint by itself', async () => {
    const database = await Database.open(path);
    const connection = await database.connect();
    const threads = await connection.runAndReadAll("SELECT current_setting('threads')");
    expect(threads.getRows()).to.deep.equal([[1n]]);
    // DuckDB ignores an unknown setting silently.
    const packing = await connection.runAndReadAll("SELECT current_setting('disabled_compression_methods')");
    expect(packing.getRows()).to.deep.equal([['BitPacking']]);
    // More than the 16 MiB after which DuckDB would write a checkpoint inside the commit.
    await connection.run('CREATE TABLE t (a VARCHAR)');
    await connection.run("INSERT INTO t SELECT repeat('x', 20000) || range FROM range(1000)");
    expect((await readFile(`${path}.wal`)).length).to.be.above(16 * 1024 ** 2);
    database.close();
  });

  it('is invalid only after certain DuckDB errors, at any depth of causes', () => {
    const fatal = new Error('FATAL Error: no space');
    const gone = new Error('the database has been invalidated because of an earlier error');
    expect(
      [fatal, gone, new Error('outer', { cause: new Error('inner', { cause: gone }) })].map(isInvalidated),
    ).to.deep.equal([true, true, true]);
    expect([new Error('no row'), 'FATAL Error', undefined].map(isInvalidated)).to.deep.equal([false, false, false]);
  });
});

describe('openRepaired', () => {
  const NAME = String.raw`\.damaged-\d{4}-\d\d-\d\dT\d{6}\.\d{3}Z`;

  it('finds no damage in an intact file', async () => {
    await make(path, [1, 2], { log: true });
    const { database, damage } = await openRepaired(path);
    expect(damage).to.equal(undefined);
    expect(await numbersIn(database)).to.deep.equal([1, 2]);
    database.close();
  });

  it('sets aside a file that is not a database, with or without a log', async () => {
    const garbage = 'something else altogether\n'.repeat(500);
    await writeFile(path, garbage);
    const { database, damage } = await openRepaired(path);
    database.close();
    expect(damage?.lost).to.equal('database');
    expect(damage?.setAside).to.have.length(1);
    const [aside = ''] = damage?.setAside ?? [];
    expect(aside).to.match(new RegExp(`/jobs\\.duckdb${NAME}$`));
    expect(await readFile(aside, 'utf8')).to.equal(garbage);
  });

  it('sets aside a database with its log under the same time', async () => {
    await make(path, [1], { log: true });
    const wal = await readFile(`${path}.wal`);
    await writeFile(path, 'something else altogether\n'.repeat(500));
    const { database, damage } = await openRepaired(path);
    database.close();
    const [log = '', file = ''] = damage?.setAside ?? [];
    expect(damage).to.deep.equal({ setAside: [log, file], lost: 'database' });
    expect(log).to.match(new RegExp(`/jobs\\.duckdb\\.wal${NAME}$`));
    expect(log).to.equal(file.replace('jobs.duckdb.', 'jobs.duckdb.wal.'));
    expect((await readFile(log)).equals(wal)).to.equal(true);
  });

  it('drops a fully damaged log, and keeps the database', async () => {
    await make(path, [1]);
    await make(path, [2], { log: true });
    const broken = await readFile(`${path}.wal`);
    broken[2] = 0xff; // in what the log begins with, before its first entry
    await writeFile(`${path}.wal`, broken);
    const { database, damage } = await openRepaired(path);
    const [aside = ''] = damage?.setAside ?? [];
    expect(damage).to.deep.equal({ setAside: [aside], lost: 'log' });
    expect(await numbersIn(database)).to.deep.equal([1]);
    expect((await readFile(aside)).equals(broken)).to.equal(true);
    database.close();
  });

  it('drops the log of another database, and keeps a copy', async () => {
    for (const cut of [0, 20]) {
      const file = join(folder, `cut-${cut}.duckdb`);
      await make(file, [1]);
      await make(path, [7, 8, 9], { log: true });
      const wal = await readFile(`${path}.wal`);
      if (cut > 0) wal.fill(0, wal.length - cut);
      await writeFile(`${file}.wal`, wal);
      const { database, damage } = await openRepaired(file);
      const [aside = ''] = damage?.setAside ?? [];
      expect(damage).to.deep.equal({ setAside: [aside], lost: 'log' });
      expect(await numbersIn(database)).to.deep.equal([1]);
      expect((await readFile(aside)).equals(wal)).to.equal(true);
      database.close();
      await rm(path);
      await rm(`${path}.wal`, { force: true });
    }
  });

  it('reports why a damaged file cannot be set aside, and leaves it in place', async () => {
    const long = join(folder, `${'j'.repeat(235)}.duckdb`); // with a time behind it the name is too long for the disk
    const garbage = 'something else altogether\n'.repeat(500);
    await writeFile(long, garbage);
    await writeFile(`${long}.wal`, '');
    expect(await failureOf(openRepaired(long))).to.include({ code: 'ENAMETOOLONG', syscall: 'rename' });
    expect(await readFile(long, 'utf8')).to.equal(garbage);
  });
});

describe('Session', () => {
  it('is invalid once it is closed, and may be closed twice', async () => {
    const session = await Session.open(path);
    expect(session.invalid).to.equal(false);
    await session.close();
    expect(session.invalid).to.equal(true);
    await session.close();
  });

  it('knows the size of its log, 0 without one', async () => {
    const first = await Session.open(path);
    expect(await first.logBytes()).to.equal((await readFile(`${path}.wal`)).length);
    expect(await first.checkpoint()).to.equal(true);
    expect(await first.logBytes()).to.equal(0);
    await first.close();
  });

  it('continues after a failure that does not concern the database', async () => {
    const session = await Session.open(path);
    const failure = new Error('no such row');
    expect(await failureOf(session.use(() => Promise.reject(failure)))).to.equal(failure);
    expect(session.invalid).to.equal(false);
    await session.close();
  });

  for (const [what, others] of [
    ['a link to itself', ['jobs.duckdb']],
    ['links that lead to each other', ['a', 'b', 'a']],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const links = [path, ...others.map((name) => join(folder, name))];
      for (const [at, name] of others.entries()) await symlink(name, links[at] ?? path);
      expect((await refusalOf(Session.open(path))).code).to.equal('store_unavailable');
    });
  }

  it('closes the file when its tables are not those of this service', async () => {
    const database = await Database.open(path);
    await (await database.connect()).run('CREATE TABLE schema_migrations (word VARCHAR)');
    database.close();
    expect(await failureOf(Session.open(path))).to.be.an('error');
    await truncate(path, 0);
    await (await Session.openRepaired(path)).close();
  });
});
