import { cpSync, existsSync } from 'node:fs';
import { appendFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import type { JobId } from '../../src/job.ts';
import { INDEX_STEPS, type IndexStep } from '../../src/search/index-step.ts';
import { keptLog } from '../kept-log.ts';
import { indexOf, jobIdOf, SearchHarness, until } from './search-harness.ts';

const THREE = [{ texts: ['exit one'] }, { texts: ['exit two'] }, { texts: ['exit three'] }];

async function idsOf(harness: SearchHarness, text: string): Promise<readonly JobId[]> {
  return (await harness.search(text)).hits.map(({ jobId }) => jobId);
}

/** Runs SQL on an index that is closed. */
async function inFile(path: string, sql: string): Promise<readonly unknown[]> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowsJson();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

describe('the search index', () => {
  it('has a job soon after it is added', async () => {
    await using harness = await SearchHarness.open();
    expect(await harness.found('exit')).to.deep.equal([]);
    harness.index.add(await harness.videos.give({ texts: ['exit'] }));
    expect(harness.index.state().isComplete).to.equal(false);
    await harness.complete();
    expect(await harness.found('exit')).to.deep.equal([['exit']]);
  });

  it('has a job once, however often it is added', async () => {
    await using harness = await SearchHarness.open(THREE);
    for (let times = 0; times < 3; times += 1) {
      harness.index.add(jobIdOf(2));
      await harness.complete();
    }
    expect(await harness.found('two')).to.deep.equal([['exit two']]);
    expect(harness.index.state().videos).to.equal(3);
  });

  it('does not find a removed job from that moment on, and deletes its words from the file', async () => {
    await using harness = await SearchHarness.open(THREE);
    harness.videos.kept.delete(jobIdOf(2));
    harness.index.remove([jobIdOf(2)]);
    expect(await idsOf(harness, 'exit')).to.deep.equal([jobIdOf(3), jobIdOf(1)]);
    await until(() => harness.index.state().videos === 2);
    await harness.reopen(async () => {
      const count = (table: string) => inFile(harness.path, `SELECT count(*)::VARCHAR FROM ${table}`);
      expect(await count('documents')).to.deep.equal([['2']]);
      expect(await count('postings')).to.deep.equal([['4']]);
      expect(await count("words WHERE word = 'two'")).to.deep.equal([['0']]);
      expect(await count("endings WHERE ending = 'owt'")).to.deep.equal([['0']]);
    });
  });

  it('is updated from the jobs when it is opened', async () => {
    await using harness = await SearchHarness.open(THREE);
    await harness.reopen(async () => {
      harness.videos.kept.delete(jobIdOf(1));
      await harness.videos.give({ texts: ['exit four'] });
    });
    expect(await idsOf(harness, 'exit')).to.deep.equal([jobIdOf(4), jobIdOf(3), jobIdOf(2)]);
  });

  const damages: Readonly<Record<string, (path: string) => unknown>> = {
    'that is missing': (path) => unlink(path),
    'that is empty': (path) => truncate(path, 0),
    'that is no database': (path) => writeFile(path, 'no database'.repeat(10_000)),
    'that is cut off': async (path) => truncate(path, (await stat(path)).size - 100_000),
    'whose log is damaged': (path) => appendFile(`${path}.wal`, 'no log'.repeat(100)),
    'of another version': (path) => inFile(path, 'UPDATE about SET version = version + 1'),
    'without its tables': (path) => inFile(path, 'DROP TABLE about'),
  };
  for (const [what, damage] of Object.entries(damages)) {
    it(`${what} is built again`, async () => {
      await using harness = await SearchHarness.open(THREE);
      await harness.reopen(() => damage(harness.path));
      await harness.search('exit'); // finds damage where opening does not reach
      await harness.complete();
      expect(await harness.found('exit')).to.deep.equal([['exit three'], ['exit two'], ['exit one']]);
    });
  }

  it('omits unreadable results and has the rest', async () => {
    const { log, lines } = keptLog();
    await using harness = await SearchHarness.open(THREE, { log });
    const [gone, broken] = [
      await harness.videos.give({ texts: ['exit'] }),
      await harness.videos.give({ texts: ['exit'] }),
    ];
    await rm(harness.videos.kept.get(gone)?.segmentsPath ?? '');
    await writeFile(
      harness.videos.kept.get(broken)?.segmentsPath ?? '',
      '{"version":2,"segments":[\n{"kind":"text"\n\0',
    );
    harness.index.add(gone);
    harness.index.add(broken);
    harness.index.add(await harness.videos.give({ texts: ['exit six'] }));
    await harness.complete();
    expect(await harness.found('exit')).to.deep.equal([['exit six'], ['exit three'], ['exit two'], ['exit one']]);
    expect(lines.map(({ job_id: jobId }) => jobId)).to.include(gone);
  });

  it('responds at once before it is open and after it is closed', async () => {
    await using harness = await SearchHarness.open(THREE);
    await harness.index.close();
    expect(await harness.search('exit')).to.deep.equal({ hits: [], isComplete: false, next: undefined });
    const unopened = indexOf(harness.path, harness.videos, {});
    expect(await unopened.search({ text: 'exit', limit: 1 })).to.have.property('isComplete', false);
    await unopened.close();
  });

  it('finds the same when many postings were sorted', async () => {
    await using harness = await SearchHarness.open();
    const texts = Array.from({ length: 4_000 }, (_, at) => `w${at} x${at} y${at} z${at % 7} common`);
    for (let videos = 0; videos < 14; videos += 1) harness.index.add(await harness.videos.give({ texts }));
    await harness.complete();
    await harness.reopen(); // sorts, if the index has not done so before it was closed
    await harness.reopen(async () => {
      expect(await inFile(harness.path, 'SELECT sorted > 0 FROM about')).to.deep.equal([[true]]);
    });
    expect((await harness.search('w77 common')).hits).to.have.lengthOf(14);
    expect((await harness.search('z3 common')).hits[0]?.matches).to.equal(571);
  });
});

describe('the search index after a crash at', () => {
  const given = Array.from({ length: 3 }, (_, at) => ({
    texts: Array.from({ length: 30_000 }, (__, n) => `exit ${at} w${n} x${n}`),
  }));
  const copies = new Map<IndexStep, string>();
  let harness: SearchHarness;

  before(async function () {
    harness = await SearchHarness.open();
    const keep = (step: IndexStep): void => {
      if (copies.has(step)) return;
      const copy = `${harness.path}.${copies.size}`;
      for (const file of ['', '.wal']) if (existsSync(harness.path + file)) cpSync(harness.path + file, copy + file);
      copies.set(step, copy);
    };
    await harness.reopen(async () => {
      for (const video of given) await harness.videos.give(video);
    }, keep);
    harness.videos.kept.delete(jobIdOf(1));
    harness.index.remove([jobIdOf(1)]);
    await until(() => harness.index.state().videos === 2);
  });
  after(() => harness[Symbol.asyncDispose]());

  for (const step of INDEX_STEPS) {
    it(`"${step}" has every video once`, async () => {
      const copy = copies.get(step) ?? expect.fail('this step was never reached');
      const index = indexOf(copy, harness.videos, {});
      index.start();
      try {
        await until(() => index.state().isComplete);
        const { hits } = await index.search({ text: 'exit w29999', limit: 10 });
        expect(hits.map(({ jobId, matches }) => [jobId, matches])).to.deep.equal([
          [jobIdOf(3), 1],
          [jobIdOf(2), 1],
        ]);
        expect(index.state().videos).to.equal(2);
      } finally {
        await index.close();
      }
    });
  }
});
