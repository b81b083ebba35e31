import { expect } from 'chai';
import { z } from 'zod';
import { JOB_MACHINE_VERSION, JOB_STATES } from '../../machines/job.ts';
import { restoreSnapshot, SNAPSHOT_FORMAT, UPGRADES, type SnapshotFormat } from '../../src/engine/snapshot.ts';
import { jobIn } from '../job-in.ts';
import { keptLog } from '../kept-log.ts';
import { EngineHarness } from './engine-harness.ts';
import { newId } from './keeping.ts';
import { STORED_SNAPSHOTS } from './stored-snapshots.ts';

/** A fictitious version: jobs have labels. */
const persistedSchema = z.object({
  value: z.enum(JOB_STATES),
  context: z.object({
    attempt: z.int(),
    interruptions: z.int(),
    maxAttempts: z.int(),
    outputPath: z.string().nullable(),
    errorCode: z.string().nullable(),
    errorMessage: z.string().nullable(),
    labels: z.array(z.string()),
  }),
});
const LATER: SnapshotFormat = {
  version: JOB_MACHINE_VERSION + 1,
  upgrades: {
    ...UPGRADES,
    [JOB_MACHINE_VERSION]: (persisted) => {
      const { value, context } = SNAPSHOT_FORMAT.parse(persisted);
      return { value, context: { ...context, labels: ['upgraded'] } };
    },
  },
  parse: (persisted) => persistedSchema.parse(persisted),
};

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('the snapshot of a job', () => {
  const jobId = newId();
  const versions = Array.from({ length: JOB_MACHINE_VERSION }, (_, index) => index + 1);

  it('has a stored sample of each version and an upgrade step between versions', () => {
    expect(Object.keys(STORED_SNAPSHOTS).map(Number)).to.deep.equal(versions);
    expect(Object.keys(UPGRADES).map(Number)).to.deep.equal(versions.slice(0, -1));
  });

  for (const machineVersion of versions) {
    for (const [name, snapshot] of Object.entries(STORED_SNAPSHOTS[machineVersion] ?? {})) {
      it(`of version ${machineVersion}, ${name}, is read by this version and by a later one`, () => {
        const state = name === 'interrupted' ? 'pending' : name;
        const stored = { jobId, machineVersion, snapshot };
        const present = restoreSnapshot(stored);
        expect(present.value).to.equal(state);
        expect(present.context).to.deep.equal(JSON.parse(snapshot).context);
        const later = restoreSnapshot(stored, LATER);
        expect(later.value).to.equal(state);
        expect(later.context).to.have.deep.property('labels', ['upgraded']);
        expect(later.can({ type: 'START' })).to.equal(state === 'pending');
      });
    }
  }

  it('of a later version is rejected with advice', () => {
    const stored = { jobId, machineVersion: JOB_MACHINE_VERSION + 1, snapshot: '{}' };
    expect(codeOf(() => restoreSnapshot(stored))).to.include({
      code: 'schema_too_new',
      message:
        `Job ${jobId} was stored by version ${JOB_MACHINE_VERSION + 1} of the job machine and this program knows ` +
        `versions up to ${JOB_MACHINE_VERSION}: run the program that stored it, or a later one`,
    });
  });

  for (const [what, stored] of [
    ['text', { machineVersion: JOB_MACHINE_VERSION, snapshot: 'no JSON' }],
    ['a state', { machineVersion: JOB_MACHINE_VERSION, snapshot: '{"value":"dancing","context":{}}' }],
    ['a version', { machineVersion: 0, snapshot: '{}' }],
  ] as const) {
    it(`that is damaged in ${what} cannot be read`, () => {
      expect(codeOf(() => restoreSnapshot({ jobId, ...stored }))).to.include({ code: 'job_unreadable' });
    });
  }
});

describe('a data folder of an earlier version', () => {
  it('is opened by a later one, whose jobs the earlier one does not change while others continue', async () => {
    const first = await EngineHarness.open();
    const running = await first.submit();
    const waiting = await first.submit();
    await first.engine.start(running.jobId);
    await first.store.close();

    const second = await EngineHarness.open({ folder: first.folder, format: LATER });
    await second.recover();
    const upgraded = await jobIn(second.store, running.jobId);
    expect(upgraded).to.include({ status: 'pending', machineVersion: LATER.version });
    expect(JSON.parse(upgraded.snapshot)).to.have.deep.nested.property('context.labels', ['upgraded']);
    expect(await second.worker().runOnce()).to.equal(true);
    expect(await jobIn(second.store, running.jobId)).to.include({ status: 'completed', machineVersion: LATER.version });
    await second.engine.start(waiting.jobId);
    await second.engine.dispatch(waiting.jobId, { type: 'RELEASE', attempt: 1 });
    const left = await jobIn(second.store, waiting.jobId);
    await second.store.close();

    const { log, lines } = keptLog();
    await using third = await EngineHarness.open({ folder: first.folder, log });
    const sound = await third.submit();
    await third.recover();
    while (await third.worker().runOnce());
    expect(await jobIn(third.store, sound.jobId)).to.include({ status: 'completed' });
    expect(await jobIn(third.store, waiting.jobId)).to.deep.equal(left);
    const refusal = lines.find(({ msg }) => msg === 'job of a newer version left unchanged');
    expect(refusal).to.include({ level: 'error', job_id: waiting.jobId });
    expect(refusal?.['reason']).to.match(/run the program that stored it, or a later one$/);
  });
});

describe('MAX_ATTEMPTS', () => {
  for (const [then, now, status] of [
    [1, 3, 'pending'],
    [3, 1, 'failed'],
  ] as const) {
    it(`is that of the present configuration: a job accepted with ${then} and interrupted with ${now} is ${status}`, async () => {
      const before = await EngineHarness.open({ maxAttempts: then });
      const { jobId } = await before.submit();
      await before.engine.start(jobId);
      await before.store.close();
      await using after = await EngineHarness.open({ folder: before.folder, maxAttempts: now });
      await after.recover();
      expect((await jobIn(after.store, jobId)).status).to.equal(status);
    });
  }
});
