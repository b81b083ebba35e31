import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { CommanderError } from 'commander';
import { EngineHarness } from '../engine/engine-harness.ts';
import { refusalOf } from '../refusal-of.ts';
import { ask, rowsOf } from './query-harness.ts';

describe('reelstate query', function () {
  let harness: EngineHarness;
  let outside: string;
  before(async () => {
    harness = await EngineHarness.open();
    await harness.submit();
    await harness.worker().runOnce();
    outside = await mkdtemp(join(tmpdir(), 'query-outside-'));
    await writeFile(join(outside, 'secret.csv'), 'secret\n');
    await mkdir(join(harness.folder, 'video_jobs', 'linked'));
    await symlink(join(outside, 'secret.csv'), join(harness.folder, 'video_jobs', 'linked', 'secret.csv'));
  });
  after(async () => {
    await harness[Symbol.asyncDispose]();
    await rm(outside, { recursive: true });
  });
  afterEach(async () => {
    expect((await readdir(outside)).filter((name) => name.endsWith('.part'))).to.deep.equal([]);
  });

  const query = (...args: readonly string[]) => ask(['--data-dir', harness.folder, ...args]);
  const target = (name: string) => join(outside, name);

  describe('answers', () => {
    const SQL = `SELECT * FROM (VALUES (2, 'b,"', NULL, TIMESTAMPTZ '2026-01-02 03:04:05.678Z', 'nan'::DOUBLE),
      (1, 'a' || chr(10) || chr(27) || '[31m', '', NULL, 1.5)) AS t(n, s, e, since, d) ORDER BY n DESC; -- and a comment`;

    it('with a table without control characters', async () => {
      expect(await query(SQL)).to.equal(
        [
          'n  s        e  since                     d',
          '─  ───────  ─  ────────────────────────  ───',
          '2  b,"      ∅  2026-01-02T03:04:05.678Z  nan',
          '1  a↵\u{FFFD}[31m     ∅                         1.5',
          '',
        ].join('\n'),
      );
    });

    it('with CSV', async () => {
      const rows = 'n,s,e,since,d\n2,"b,""",,2026-01-02T03:04:05.678Z,nan\n1,"a\n\u001B[31m","",,1.5\n';
      expect(await query('--format', 'csv', SQL)).to.equal(`\uFEFF${rows}`);
      expect(await query('--format', 'csv', '--raw', SQL)).to.equal(rows);
    });

    it('with CSV in which no text is a formula, and numbers stay numbers', async () => {
      const sql = `SELECT '=1+2*cmd' AS a, -1.5 AS b, '-1+2' AS c, '@x' AS d, chr(9) || 'x' AS e, '+49 30' AS "=f"`;
      expect(await query('--format', 'csv', sql)).to.equal(
        "\uFEFFa,b,c,d,e,'=f\n'=1+2*cmd,-1.5,'-1+2,'@x,'\tx,'+49 30\n",
      );
      expect(await query('--format', 'csv', '--raw', sql)).to.equal('a,b,c,d,e,=f\n=1+2*cmd,-1.5,-1+2,@x,\tx,+49 30\n');
    });

    it('with JSON, one row per line', async () => {
      const text = await query('--format', 'json', SQL);
      expect(text.split('\n')).to.have.length(5);
      expect(JSON.parse(text)).to.deep.equal([
        { n: 2, s: 'b,"', e: null, since: '2026-01-02T03:04:05.678Z', d: null },
        { n: 1, s: 'a\n\u001B[31m', e: '', since: null, d: 1.5 },
      ]);
      expect(JSON.parse(await query('--format', 'json', 'FROM jobs WHERE false'))).to.deep.equal([]);
    });

    it('with Parquet, of the same types', async () => {
      await query('--output', target('rows.parquet'), SQL);
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const read = await connection.runAndReadAll(`SELECT n, typeof(since) AS t FROM '${target('rows.parquet')}'`);
      expect(read.getRowObjectsJson()).to.deep.equal([2, 1].map((n) => ({ n, t: 'TIMESTAMP WITH TIME ZONE' })));
      connection.closeSync();
      instance.closeSync();
    });

    it('with a hundred thousand rows in their order', async () => {
      const text = await query('--format', 'csv', 'SELECT i FROM range(100000) t(i) ORDER BY i DESC');
      const numbers = text.trimEnd().split('\n').slice(1).map(Number);
      expect(numbers).to.deep.equal(Array.from({ length: 100_000 }, (_, index) => 99_999 - index));
    });

    it("in the format of the output's extension, atomically", async () => {
      await query('--output', target('rows.csv'), 'SELECT 1 AS one');
      expect(await readFile(target('rows.csv'), 'utf8')).to.equal('\uFEFFone\n1\n');
      const refusal = await refusalOf(query('--output', target('rows.csv'), 'SELECT 2 AS two'));
      expect(refusal).to.include({ code: 'path_refused' });
      await query('--force', '--output', target('rows.csv'), 'SELECT 2 AS two');
      expect(await readFile(target('rows.csv'), 'utf8')).to.equal('\uFEFFtwo\n2\n');
      for (const name of ['late.csv', 'late.parquet']) {
        const late = "SELECT CASE WHEN i < 90000 THEN i ELSE error('late') END AS i FROM range(100000) t(i)";
        expect((await refusalOf(query('--output', target(name), late))).message).to.contain('late');
        expect(await readdir(outside)).to.not.include(name);
      }
    });

    it('but writes nothing into the data folder or a missing folder', async () => {
      for (const path of ['x.csv', 'video_jobs/x.csv', 'video_jobs/../jobs.duckdb', 'jobs.duckdb']) {
        const refusal = await refusalOf(query('--force', '--output', join(harness.folder, path), 'SELECT 1'));
        expect(refusal).to.include({ code: 'path_refused' });
      }
      expect(await refusalOf(query('--output', target('no/x.csv'), 'SELECT 1'))).to.include({ code: 'file_missing' });
      expect(await refusalOf(query('--force', '--output', outside, 'SELECT 1'))).to.include({ code: 'path_refused' });
    });
  });

  describe('says what is wrong', () => {
    it("with an unknown column, in DuckDB's words", async () => {
      const { code, message } = await refusalOf(query('SELECT labl FROM detections'));
      expect(code).to.equal('invalid_query');
      expect(message).to.match(/Binder Error: Referenced column "labl" not found[\s\S]*LINE 1: SELECT labl/);
    });

    it('with a missing data folder', async () => {
      const { code, message } = await refusalOf(ask(['--data-dir', target('none'), 'SELECT 1']));
      expect(code).to.equal('file_missing');
      expect(message).to.contain(target('none'));
    });

    it('with two columns of one name in JSON, and with a command line that is not understood', async () => {
      expect((await refusalOf(query('--format', 'json', 'SELECT 1 AS a, 2 AS a'))).message).to.contain('"a"');
      for (const args of [[], ['--format', 'xml', 'SELECT 1'], ['--format', 'parquet', 'SELECT 1'], ['SELECT', '1']]) {
        const error: unknown = await query(...args).catch((thrown: unknown) => thrown);
        expect(error, args.join(' ')).to.be.instanceOf(CommanderError);
      }
    });
  });

  describe('is ended', () => {
    it('by its signal before it began', async () => {
      const reason = new Error('enough');
      const asking = ask(['--data-dir', harness.folder, 'SELECT 1'], { signal: AbortSignal.abort(reason) });
      expect(await asking.catch((error: unknown) => error)).to.equal(reason);
    });

    it('by its signal in the middle of the rows and in the middle of a statement', async () => {
      const reason = new Error('enough');
      const ending = new AbortController();
      const onText = () => ending.abort(reason);
      const many = 'SELECT i FROM range(100000) t(i)';
      const asking = ask(['--data-dir', harness.folder, many], { signal: ending.signal, onText });
      expect(await asking.catch((error: unknown) => error)).to.equal(reason);

      // At any time, also between two statements; a lost interrupt would hang this test.
      for (const afterMs of [1, 40, 300]) {
        const signal = AbortSignal.timeout(afterMs);
        const counting = ask(['--data-dir', harness.folder, 'SELECT sum(i * i % 7) FROM range(1000000000000) t(i)'], {
          signal,
        });
        expect(await counting.catch((error: unknown) => error)).to.equal(signal.reason);
      }
    });
  });

  describe('refuses', () => {
    const statements = [
      '',
      ';',
      'SELECT',
      'SELECT 1; SELECT 2',
      "SELECT 1; COPY (SELECT 1) TO 'OUT/x.csv'",
      "SELECT 1) TO 'OUT/x.csv' (FORMAT csv); --",
      "COPY (SELECT 1) TO 'OUT/x.csv'",
      "COPY jobs TO 'DATA/video_jobs/x.csv'",
      "EXPORT DATABASE 'OUT/x'",
      "IMPORT DATABASE 'OUT'",
      "ATTACH 'OUT/x.db'",
      "ATTACH 'DATA/jobs.duckdb' (READ_ONLY)",
      "ATTACH ':memory:' AS other",
      'INSTALL httpfs',
      'LOAD httpfs',
      "LOAD 'OUT/x.duckdb_extension'",
      'SET enable_external_access = true',
      "SET memory_limit = '100GB'",
      'RESET memory_limit',
      'SET VARIABLE results = []',
      "PRAGMA temp_directory = 'OUT'",
      'PRAGMA version',
      'CALL pragma_version()',
      'CREATE TABLE t (a INT)',
      'CREATE VIEW v AS SELECT 1',
      'CREATE OR REPLACE VIEW frames AS SELECT 1',
      'CREATE MACRO m(a) AS a',
      'CREATE SECRET s (TYPE s3)',
      'DROP VIEW frames',
      'INSERT INTO jobs SELECT * FROM jobs',
      'DELETE FROM jobs',
      'UPDATE jobs SET status = NULL',
      'WITH gone AS (DELETE FROM jobs RETURNING *) SELECT * FROM gone',
      'PREPARE p AS SELECT 1',
      'BEGIN',
      'CHECKPOINT',
      'EXPLAIN SELECT 1',
      'DESCRIBE jobs',
      'SELECT $1',
      "SELECT getenv('PATH')",
      "SELECT * FROM 'OUT/secret.csv'",
      "SELECT * FROM 'DATA/video_jobs/linked/secret.csv'",
      "SELECT * FROM 'DATA/video_jobs/../jobs.duckdb'",
      "SELECT * FROM '/etc/passwd'",
      "SELECT * FROM read_text('/etc/passwd')",
      "SELECT * FROM READ_TEXT('DATA/video_jobs/linked/secret.csv')",
      "SELECT * FROM read_csv('OUT/secret.csv')",
      "SELECT * FROM read_blob(['OUT/secret.csv'])",
      "SELECT * FROM read_json('OUT/secret.csv')",
      "SELECT * FROM parquet_scan('OUT/x.parquet')",
      "SELECT * FROM sniff_csv('OUT/secret.csv')",
      "SELECT * FROM glob('OUT/*')",
      "SELECT * FROM glob('DATA/*')",
      "SELECT (SELECT max(content) FROM read_text('/proc/self/environ'))",
      "WITH a AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM a",
      "SELECT 1 WHERE EXISTS (SELECT * FROM jobs, LATERAL (SELECT * FROM read_text('/etc/passwd')))",
      "SELECT 1 ORDER BY (SELECT count(*) FROM glob('/*'))",
      "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
      "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
      "SELECT * FROM 'https://127.0.0.1:9/x.csv'",
      "SELECT * FROM 's3://bucket/x.parquet'",
      "SELECT * FROM sqlite_scan('OUT/x', 't')",
      // These would write a file or print from a SELECT despite the locked configuration.
      "SELECT * FROM enable_logging('QueryLog', storage := 'stdout')",
      "SELECT * FROM enable_logging('QueryLog', storage := 'file', storage_config := {'path': 'DATA/video_jobs'})",
      "SELECT * FROM enable_profiling(save_location := 'DATA/video_jobs/x')",
      'SELECT * FROM enable_profiling()',
      'SELECT * FROM force_checkpoint()',
      'SELECT * FROM duckdb_secrets()',
    ];
    for (const statement of statements) {
      it(statement === '' ? 'nothing at all' : statement, async () => {
        const sql = statement.replaceAll('OUT', outside).replaceAll('DATA', harness.folder);
        const filesBefore = await readdir(harness.folder, { recursive: true });
        const { code, message } = await refusalOf(query(sql));
        expect(code).to.equal('invalid_query');
        expect(message).to.not.contain('secret\n').and.not.contain('root:');
        expect(await readdir(harness.folder, { recursive: true })).to.deep.equal(filesBefore);
        expect(await readdir(outside))
          .to.not.include('x.csv')
          .and.not.include('x');
      });
    }

    it('statements that a query does not need', async () => {
      const sql = `WITH t AS (SELECT unnest([1, 2]) AS n) SELECT n, (SELECT count(*)::INT FROM range(n)) AS c
        FROM t SEMI JOIN generate_series(1, 9) g(n) USING (n) WHERE n NOT IN (SELECT -1) ORDER BY n;`;
      expect(await rowsOf(harness.folder, sql)).to.deep.equal([1, 2].map((n) => ({ n, c: n })));
    });
  });
});
