import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { forgetSubmissions, healSidecars, keepHouse } from '../../src/engine/housekeeping.ts';
import { expireFiles } from '../../src/engine/retention.ts';
import { inputPathOf, readSidecar, sidecarPathOf } from '../../src/engine/sidecar.ts';
import type { Step } from '../../src/engine/step.ts';
import type { JobId } from '../../src/job.ts';
import type { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { keptLog } from '../kept-log.ts';
import { EngineHarness } from './engine-harness.ts';
import { aSidecar, completion, keeping, newId, put, putSidecar } from './keeping.ts';
import { jobIn } from '../job-in.ts';

const HOUR_MS = 3_600_000;
/** A tenth of it is waited for; ten times as long would be too long for a test. */
const SHORT_MS = 3_000;
const CLOSED = 'the job store is closed';

describe('background work', () => {
  let told: AbortController;
  let harness: EngineHarness;
  /** Called at each step of the engine. */
  let atStep: (step: Step) => void;

  beforeEach(async () => {
    told = new AbortController();
    atStep = () => {};
    harness = await EngineHarness.open({ onStep: (step) => atStep(step) });
  });
  afterEach(async () => {
    // Ends everything that a failed test left behind.
    told.abort();
    await harness[Symbol.asyncDispose]();
  });

  /** Aborts the work under test at the first log line with this text. */
  const listenUntil = (text: string) =>
    keptLog(({ msg }) => {
      if (String(msg).includes(text)) told.abort();
    });
  const completed = async (): Promise<JobId> => {
    const { jobId } = await harness.submit();
    await harness.worker().runOnce();
    return jobId;
  };
  /** A job that ended long ago, by its sidecar. */
  const endedLongAgo = async (): Promise<JobId> => {
    const jobId = newId();
    await harness.recovery.restore(aSidecar(jobId, { outcome: completion(jobId) }));
    return jobId;
  };
  const sidecarText = (jobId: JobId) => readFile(join(harness.folder, 'video_jobs', sidecarPathOf(jobId)), 'utf8');

  describe('of sidecars', () => {
    it('rewrites outdated ones and no others', async () => {
      const [right, missing, expired] = [await completed(), await completed(), await completed()];
      const notEnded = await harness.submit();
      const behind = new Map([[notEnded.jobId, await sidecarText(notEnded.jobId)]]);
      await harness.worker().runOnce();
      behind.set(expired, await sidecarText(expired));
      await harness.engine.deleteFiles(expired);
      await harness.engine.deleteFiles(right);
      const whole = [right, missing, expired, notEnded.jobId];
      const texts = await Promise.all(whole.map(sidecarText));
      for (const [jobId, text] of behind) await put(harness, sidecarPathOf(jobId), text);
      await rm(join(harness.folder, 'video_jobs', sidecarPathOf(missing)));

      const { log, lines } = keptLog();
      await healSidecars(keeping(harness, log, told.signal));
      expect(await Promise.all(whole.map(sidecarText))).to.deep.equal(texts);
      const msg = 'sidecar brought up to its row';
      expect(lines).to.have.deep.members([
        { level: 'info', job_id: missing, msg },
        { level: 'info', job_id: expired, msg },
        { level: 'info', job_id: notEnded.jobId, msg },
      ]);
    });

    it('corrects one with another outcome', async () => {
      const { jobId } = await harness.submit();
      await harness.engine.cancel(jobId);
      await putSidecar(harness, aSidecar(jobId, { outcome: completion(jobId) }));
      const { log, lines } = keptLog();
      await healSidecars(keeping(harness, log, told.signal));
      expect(lines).to.deep.equal([{ level: 'info', job_id: jobId, msg: 'sidecar brought up to its row' }]);
      expect(await readSidecar(harness.storage, jobId)).to.have.nested.property('outcome.status', 'failed');
    });
  });

  describe('at a start', () => {
    it('queues restored jobs in order of acceptance', async () => {
      const jobIds = [newId(), newId()];
      for (const jobId of jobIds) {
        await putSidecar(harness, aSidecar(jobId));
        await put(harness, inputPathOf(jobId));
      }
      const { log } = keptLog();
      await keepHouse({ ...keeping(harness, log, told.signal), retentionMs: undefined });
      expect([harness.queue.dequeue(), harness.queue.dequeue(), harness.queue.dequeue()]).to.deep.equal([
        ...jobIds,
        undefined,
      ]);
    });

    it('logs failures and continues with the rest', async () => {
      await put(harness, inputPathOf(newId()));
      await harness.store.close();
      const { log, lines } = listenUntil('expired files');
      await keepHouse({ ...keeping(harness, log, told.signal), retentionMs: HOUR_MS });
      const msg = 'background work failed; retried at the next start';
      expect(lines).to.deep.equal([
        { level: 'error', reason: CLOSED, msg },
        { level: 'error', reason: CLOSED, msg },
        { level: 'error', reason: CLOSED, msg: 'expired files not deleted; retried later' },
      ]);
    });

    it('starts nothing after an abort and reports no failure', async () => {
      for (const jobId of [await completed(), await completed()]) {
        await rm(join(harness.folder, 'video_jobs', sidecarPathOf(jobId)));
      }
      await put(harness, 'notes.txt');
      const { log, lines } = listenUntil('sidecar brought up');
      await keepHouse({ ...keeping(harness, log, told.signal), retentionMs: undefined });
      expect(lines).to.have.lengthOf(1);
      expect(lines[0]).to.include({ level: 'info', msg: 'sidecar brought up to its row' });
    });
  });

  describe('of expired files', () => {
    it('deletes those of every job that ended before, beyond one statement, and reports the number', async () => {
      const jobIds: JobId[] = await Promise.all(Array.from({ length: 501 }, endedLongAgo));
      const young = await completed();
      const { log, lines } = keptLog();
      const endedBefore = new Date(Date.now() - HOUR_MS);
      const { store, engine } = harness;
      expect(await expireFiles({ store, engine, log, signal: told.signal, endedBefore })).to.equal(501);
      expect(lines).to.deep.equal([
        {
          level: 'info',
          jobs: 501,
          ended_before: endedBefore.toISOString(),
          msg: 'files of expired jobs deleted',
        },
      ]);
      const standings = await store.retentionStatesOf([...jobIds, young]);
      const kept = [...standings].flatMap(([jobId, { expiredAt }]) => (expiredAt === null ? [jobId] : []));
      expect(kept).to.deep.equal([young]);
    });

    it('logs nothing if there is nothing to delete', async () => {
      await completed();
      const { log, lines } = keptLog();
      const { store, engine } = harness;
      const endedBefore = new Date(Date.now() - HOUR_MS);
      expect(await expireFiles({ store, engine, log, signal: told.signal, endedBefore })).to.equal(0);
      expect(lines).to.deep.equal([]);
    });

    it('keeps those of a job that ended just now', async () => {
      const [old, young] = [await endedLongAgo(), await completed()];
      const { log, lines } = listenUntil('files of expired jobs deleted');
      await harness.recovery.rewriteSidecar(await jobIn(harness.store, old));
      await keepHouse({ ...keeping(harness, log, told.signal), retentionMs: HOUR_MS });
      expect(lines).to.have.lengthOf(1);
      expect(lines[0]).to.include({ level: 'info', jobs: 1 });
      expect((await jobIn(harness.store, old)).expiredAt).to.be.a('string');
      expect((await jobIn(harness.store, young)).expiredAt).to.equal(null);
    });

    it('deletes nothing after an abort and reports no failure', async () => {
      const jobIds = [await endedLongAgo(), await endedLongAgo()];
      for (const jobId of jobIds) await harness.recovery.rewriteSidecar(await jobIn(harness.store, jobId));
      atStep = (step) => {
        if (step === 'expire: input deleted') told.abort();
      };
      const { log, lines } = keptLog();
      await keepHouse({ ...keeping(harness, log, told.signal), retentionMs: HOUR_MS });
      expect(lines).to.deep.equal([]);
      const jobs = await Promise.all(jobIds.map((jobId) => jobIn(harness.store, jobId)));
      expect(jobs.filter(({ expiredAt }) => expiredAt !== null)).to.have.lengthOf(1);
    });

    it('is repeated long before the same time has passed', async () => {
      const store: Pick<DuckDBJobStore, 'endedBefore'> = harness.store;
      const endedBefore = harness.store.endedBefore.bind(harness.store);
      let late: JobId | undefined;
      store.endedBefore = async (time, limit) => {
        const found = await endedBefore(time, limit);
        // One that ended too late for the first check.
        late ??= await endedLongAgo();
        return found;
      };
      const { log, lines } = listenUntil('files of expired jobs deleted');
      await keepHouse({ ...keeping(harness, log, told.signal), retentionMs: SHORT_MS });
      expect(lines).to.have.lengthOf(1);
      expect(lines[0]).to.include({ jobs: 1 });
    });
  });

  describe('of the keys of submissions', () => {
    const since = new Date(0).toISOString();
    const oldKey = { owner: 'anonymous', keySha256: 'a key of long ago', fingerprint: 'a video' };
    const submitLongAgo = async (): Promise<void> => {
      const { owner, keySha256, fingerprint } = oldKey;
      await harness.recovery.restore(aSidecar(newId(), { submission: { owner, key_sha256: keySha256, fingerprint } }));
    };
    /** Called after each deletion of old keys. */
    const afterForgetting = (then: () => Promise<void> | void): void => {
      const store: Pick<DuckDBJobStore, 'forgetSubmissions'> = harness.store;
      const forget = harness.store.forgetSubmissions.bind(harness.store);
      store.forgetSubmissions = async (before) => {
        await forget(before);
        await then();
      };
    };

    it('deletes old ones and keeps recent ones', async () => {
      await submitLongAgo();
      const { job } = await harness.submitOnce('a key of today');
      expect(await harness.store.submission(oldKey, since)).to.include({ fingerprint: 'a video' });
      afterForgetting(() => told.abort());
      const { log, lines } = keptLog();
      await forgetSubmissions({ store: harness.store, log, signal: told.signal, ttlMs: HOUR_MS });
      expect(await harness.store.submission(oldKey, since)).to.equal(undefined);
      const again = await harness.submitOnce('a key of today');
      expect(again).to.include({ replayed: true });
      expect(again.job.jobId).to.equal(job.jobId);
      expect(lines).to.deep.equal([]);
    });

    it('is repeated long before the same time has passed', async () => {
      let times = 0;
      afterForgetting(async () => {
        times += 1;
        if (times === 1) await submitLongAgo();
        else told.abort();
      });
      const { log } = keptLog();
      await forgetSubmissions({ store: harness.store, log, signal: told.signal, ttlMs: SHORT_MS });
      expect(times).to.equal(2);
      expect(await harness.store.submission(oldKey, since)).to.equal(undefined);
    });

    it('logs failures and continues until the abort', async () => {
      await harness.store.close();
      const { log, lines } = listenUntil('expired idempotency');
      await forgetSubmissions({ store: harness.store, log, signal: told.signal, ttlMs: 10 * HOUR_MS });
      expect(lines).to.deep.equal([
        { level: 'error', reason: CLOSED, msg: 'expired idempotency keys not deleted; retried later' },
      ]);
    });

    it('aborted before its start, does nothing', async () => {
      told.abort();
      await submitLongAgo();
      const { log, lines } = keptLog();
      await forgetSubmissions({ store: harness.store, log, signal: told.signal, ttlMs: HOUR_MS });
      expect(await harness.store.submission(oldKey, since)).to.include({ fingerprint: 'a video' });
      expect(lines).to.deep.equal([]);
    });
  });
});
