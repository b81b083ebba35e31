import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createLog } from '../../src/log.ts';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { killLocalBatch, killServiceBatch, type BatchKillReport } from '../../tools/batch-kills.ts';
import { allJobs } from '../engine/promises.ts';

/** `npm run batchkills` has more, or as many as the variables say. */
const { BATCH_VIDEOS = '6', BATCH_KILLS = '3' } = process.env;
const videos = Number(BATCH_VIDEOS);
const kills = Number(BATCH_KILLS);
/** For a busy machine. */
const WITHIN_MS = 600_000 + 20_000 * (videos + 2 * kills);

describe(`a batch of ${videos} videos, killed again and again`, function () {
  this.timeout(WITHIN_MS);
  let folder: string;
  const options = () => ({
    folder,
    videos,
    kills,
    signal: AbortSignal.timeout(WITHIN_MS),
    onKill: (count: number, outputs: number) => {
      if (count % 10 === 0) console.log(`      ${count} kills, ${outputs} outputs`);
    },
  });
  const expectWhole = ({ report, expected, outputs }: BatchKillReport): void => {
    expect(expected).to.have.property('size', videos);
    expect([...outputs]).to.deep.equal([...expected]);
    expect(report).to.deep.include({ videos, failed: {}, open: 0 });
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'batch-kills-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('at a service: the command or the service dies, and each content has one job, completed once', async () => {
    const result = await killServiceBatch(options());
    expectWhole(result);
    const log = createLog('silent');
    const store = await DuckDBJobStore.open({ path: join(folder, 'data', 'jobs.duckdb'), log });
    try {
      const jobs = await allJobs(store);
      expect(jobs).to.have.lengthOf(videos);
      for (const { jobId, status } of jobs) {
        expect(status).to.equal('completed');
        const events = (await store.transitionsOf(jobId)).map(({ event }) => event);
        expect(events.filter((event) => event === 'COMPLETE')).to.have.lengthOf(1);
      }
      const interrupted = jobs.filter(({ attempt }) => attempt > 1).length;
      const { command, service } = result.kills;
      console.log(
        `      ${command} kills of the command, ${service} of the service; ${jobs.length} jobs, ` +
          `${interrupted} interrupted and run again, each completed once; ${result.outputs.size} outputs equal`,
      );
    } finally {
      await store.close();
    }
  });

  it('on this machine: the command is killed, and no complete analysis is repeated', async () => {
    const result = await killLocalBatch(options());
    expectWhole(result);
    expect(result.rewritten).to.deep.equal([]);
    console.log(`      ${result.kills.command} kills of the command; ${result.outputs.size} outputs equal`);
  });
});
