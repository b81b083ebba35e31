import { expect } from 'chai';
import { createTestModel } from 'xstate/graph';
import { JOB_STATES, jobMachine, type JobEvent, type JobSnapshot } from '../../machines/job.ts';
import type { Job } from '../../src/job.ts';
import { EngineHarness } from './engine-harness.ts';
import { jobIn } from '../job-in.ts';

const MAX_ATTEMPTS = 2;
/** Attempts in a path; RELEASE loses none, so without a limit there would be infinitely many paths. */
const LONGEST = 3;

type Probe = (attempt: number) => JobEvent;

/** Every event, from the current attempt and from a stale one. */
const PROBES: Readonly<Record<string, Probe>> = {
  START: () => ({ type: 'START' }),
  COMPLETE: (attempt) => ({ type: 'COMPLETE', attempt, outputPath: 'results.json' }),
  FAIL: (attempt) => ({ type: 'FAIL', attempt, code: 'invalid_video', message: 'no video track' }),
  INTERRUPT: (attempt) => ({ type: 'INTERRUPT', attempt, code: 'decoder_crashed', message: 'SIGSEGV' }),
  RELEASE: (attempt) => ({ type: 'RELEASE', attempt }),
  CANCEL: () => ({ type: 'CANCEL' }),
  'stale COMPLETE': (attempt) => ({ type: 'COMPLETE', attempt: attempt - 1, outputPath: 'stale.json' }),
  'stale FAIL': (attempt) => ({ type: 'FAIL', attempt: attempt - 1, code: 'internal', message: 'stale' }),
  'stale INTERRUPT': (attempt) => ({ type: 'INTERRUPT', attempt: attempt - 1, code: 'stalled', message: 'stale' }),
  'stale RELEASE': (attempt) => ({ type: 'RELEASE', attempt: attempt - 1 }),
};

const eventsIn = ({ context }: JobSnapshot) => Object.values(PROBES).map((probe) => probe(context.attempt));

const paths = createTestModel(jobMachine).getSimplePaths({
  input: { maxAttempts: MAX_ATTEMPTS },
  allowDuplicatePaths: true,
  events: (snapshot) =>
    eventsIn(snapshot).filter(
      (event) => snapshot.can(event) && !(event.type === 'START' && snapshot.context.attempt === LONGEST),
    ),
  serializeState: ({ value, context }) => `${value} ${context.attempt} ${context.interruptions}`,
});

describe('every path through the job machine, walked by the engine over DuckDB', () => {
  let harness: EngineHarness;
  const matrix = new Map<string, Set<string>>();
  const reached = new Set<string>();
  const note = (state: string, probe: string, verdict: string): void => {
    const key = `${state} ${probe}`;
    matrix.set(key, (matrix.get(key) ?? new Set<string>()).add(verdict));
  };

  before(async () => {
    harness = await EngineHarness.open({ maxAttempts: MAX_ATTEMPTS });
  });
  after(async () => {
    await harness[Symbol.asyncDispose]();
    console.log(drawMatrix(matrix));
  });

  for (const path of paths) {
    const events = path.steps.map(({ event }) => event).filter(({ type }) => PROBES[type] !== undefined);
    it(`SUBMIT ${events.map(({ type }) => type).join(' ')} -> ${path.state.value}`, async () => {
      let job = await harness.submit();
      const route = [`null SUBMIT pending 0`];
      for (const event of events) {
        const before = job;
        job = await harness.engine.dispatch(job.jobId, event);
        note(before.status, event.type, 'taken');
        route.push(`${before.status} ${event.type} ${job.status} ${job.attempt}`);
      }
      reached.add(job.status);

      expect(job.status).to.equal(path.state.value);
      expect(JSON.parse(job.snapshot)).to.have.deep.property('context', path.state.context);
      expect(await jobIn(harness.store, job.jobId)).to.deep.equal(job);
      const rows = await harness.store.transitionsOf(job.jobId);
      expect(rows.map((row) => `${row.fromState} ${row.event} ${row.toState} ${row.attempt}`)).to.deep.equal(route);
      expect(rows.map(({ seq }) => seq)).to.deep.equal(rows.map((_, index) => index + 1));
      expect(job.outputPath === null).to.equal(job.status !== 'completed');
      expect(job.errorMessage === null).to.equal(job.status !== 'failed');

      await expectRefusals(job, path.state);
    });
  }

  /** Every event that the state must reject is rejected and changes nothing. */
  async function expectRefusals(job: Job, snapshot: JobSnapshot): Promise<void> {
    for (const [name, probe] of Object.entries(PROBES)) {
      const event = probe(job.attempt);
      if (snapshot.can(event)) continue;
      const refusal: unknown = await harness.engine.dispatch(job.jobId, event).catch((error: unknown) => error);
      expect(refusal, name).to.have.property('code', 'job_conflict');
      note(job.status, name, 'refused');
    }
    expect(await jobIn(harness.store, job.jobId)).to.deep.equal(job);
  }

  it('together reach every state and try every event in every state', () => {
    expect([...reached].toSorted()).to.deep.equal([...JOB_STATES].toSorted());
    for (const state of JOB_STATES) {
      for (const probe of Object.keys(PROBES))
        expect([...(matrix.get(`${state} ${probe}`) ?? [])], `${state} ${probe}`).to.have.lengthOf(1);
    }
  });

  it('accepts exactly the events of the contract', () => {
    const taken = [...matrix].filter(([, verdicts]) => verdicts.has('taken')).map(([key]) => key);
    expect(taken).to.have.members([
      'pending START',
      'pending CANCEL',
      'running COMPLETE',
      'running FAIL',
      'running INTERRUPT',
      'running RELEASE',
      'running CANCEL',
    ]);
  });
});

function drawMatrix(matrix: ReadonlyMap<string, ReadonlySet<string>>): string {
  const width = Math.max(...Object.keys(PROBES).map((name) => name.length));
  const head = [''.padEnd(width), ...JOB_STATES.map((state) => state.padEnd(10))].join('  ');
  const rows = Object.keys(PROBES).map((probe) =>
    [
      probe.padEnd(width),
      ...JOB_STATES.map((state) => [...(matrix.get(`${state} ${probe}`) ?? ['-'])].join('+').padEnd(10)),
    ].join('  '),
  );
  return ['    events by state', head, ...rows].join('\n    ');
}
