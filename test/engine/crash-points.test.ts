import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { STEPS, type Step } from '../../src/engine/step.ts';
import { runScenario } from './crash-scenario.ts';
import { EngineHarness, quickFolder } from './engine-harness.ts';
import { allJobs, brokenPromises, type Ledger } from './promises.ts';

async function readLedger(folder: string): Promise<Ledger> {
  const accepted = new Set<string>();
  const ended = new Map<string, string>();
  const text = await readFile(join(folder, 'ledger'), 'utf8').catch(() => '');
  for (const line of text.split('\n').filter((given) => given !== '')) {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null) continue;
    if ('accepted' in entry) accepted.add(String(entry.accepted));
    if ('ended' in entry && 'status' in entry) ended.set(String(entry.ended), String(entry.status));
  }
  return { accepted, ended };
}

/**
 * Runs the scenario in a process that kills itself at the step. Resolves with the signal that ended it, or its exit
 * code.
 */
async function crashAt(step: Step, folder: string): Promise<unknown> {
  const child = fork(new URL('crash-child.js', import.meta.url), [folder, step], { stdio: 'inherit' });
  const [code, signal]: unknown[] = await once(child, 'exit');
  return signal ?? code;
}

async function restartAndCheck(folder: string): Promise<void> {
  const ledger = await readLedger(folder);
  await using harness = await EngineHarness.open({ folder, maxAttempts: 2 });
  const before = await allJobs(harness.store);
  await harness.recover();
  const waiting = (await allJobs(harness.store)).filter(({ status }) => status === 'pending');
  const interrupted = new Set(before.filter(({ status }) => status === 'running').map(({ jobId }) => jobId));
  while (await harness.worker().runOnce());
  const order = harness.pipelines.started.map((path) => path.slice(-40, -4));
  const first = waiting.filter(({ jobId }) => interrupted.has(jobId));
  const later = waiting.filter(({ jobId }) => !interrupted.has(jobId));
  expect(order, 'order of starts').to.deep.equal([...first, ...later].map(({ jobId }) => jobId));
  await harness.keepHouse();
  while (await harness.worker().runOnce());
  const { store, storage } = harness;
  expect(await brokenPromises({ store, storage, baseDir: join(folder, 'video_jobs') }, ledger)).to.deep.equal([]);
  expect(new Set(harness.pipelines.started)).to.have.lengthOf(harness.pipelines.started.length);
}

/** Steps at which a real process is killed. At the others, a copy of the folder is used. */
const REALLY_KILLED: readonly Step[] = [
  'submit: video stored',
  'submit: committed',
  'START: committed',
  'COMPLETE: before commit',
  'INTERRUPT: committed',
];

describe('after a crash at', () => {
  let folder: string;
  /** Copies of the folder when each step was reached first. */
  const copies = new Map<Step, string>();

  before(async () => {
    folder = await quickFolder();
    await runScenario(folder, (step) => {
      if (copies.has(step)) return;
      const copy = `${folder} ${copies.size}`;
      cpSync(folder, copy, { recursive: true });
      copies.set(step, copy);
    });
  });
  after(async () => {
    for (const left of [folder, ...copies.values()]) await rm(left, { recursive: true, force: true });
  });

  for (const step of STEPS) {
    it(`"${step}" every promise holds`, async () => {
      await restartAndCheck(copies.get(step) ?? expect.fail('this step was never reached'));
    });
  }

  for (const step of REALLY_KILLED) {
    it(`"${step}", by a SIGKILL, every promise holds`, async () => {
      const killed = await quickFolder();
      expect(await crashAt(step, killed), 'this step was never reached').to.equal('SIGKILL');
      await restartAndCheck(killed);
    });
  }

  it('no step at all every promise holds, and the evidence is set aside, not deleted', async () => {
    const [sweep = ''] = await readdir(join(folder, 'video_jobs', 'quarantine'));
    expect(await readdir(join(folder, 'video_jobs', 'quarantine', sweep))).to.have.lengthOf(1);
    await restartAndCheck(folder);
  });
});
