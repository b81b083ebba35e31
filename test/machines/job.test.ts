import { expect } from 'chai';
import { initialTransition, transition } from 'xstate';
import { JOB_MACHINE_VERSION, JOB_STATES, jobMachine, type JobEvent, type JobSnapshot } from '../../machines/job.ts';
import { restoreSnapshot } from '../../src/engine/snapshot.ts';
import { jobIdSchema } from '../../src/job.ts';

const attempt = 1;
const lost = { type: 'INTERRUPT', attempt, code: 'decoder_crashed', message: 'SIGSEGV' } as const;

function running(maxAttempts: number): JobSnapshot {
  const [pending] = initialTransition(jobMachine, { maxAttempts });
  return transition(jobMachine, pending, { type: 'START' })[0];
}

describe('the job machine', () => {
  it('has the four states of the contract and no others', () => {
    expect(Object.keys(jobMachine.states)).to.have.members([...JOB_STATES]);
  });

  for (const [name, node] of Object.entries(jobMachine.states)) {
    it(`${name}: is data only (no invoke, after, always, entry or exit)`, () => {
      expect(node.invoke).to.deep.equal([]);
      expect(node.after).to.deep.equal([]);
      expect(node.always ?? []).to.deep.equal([]);
      expect(node.entry).to.deep.equal([]);
      expect(node.exit).to.deep.equal([]);
    });

    const outgoing = [...node.transitions.values()].flat();

    it(`${name}: has a description, and so has every transition out of it`, () => {
      expect(node.description).to.match(/\w/);
      for (const { description, eventType } of outgoing) expect(description, eventType).to.match(/\w/);
    });

    it(`${name}: its transitions have only named actions`, () => {
      const named = Object.keys(jobMachine.implementations.actions);
      for (const { actions, eventType } of outgoing)
        for (const action of actions)
          expect(typeof action === 'object' && 'type' in action ? action.type : action, eventType).to.be.oneOf(named);
    });
  }

  it('has only actions that assign', () => {
    for (const [name, action] of Object.entries(jobMachine.implementations.actions))
      expect(action, name).to.have.property('type', 'xstate.assign');
  });

  it('leaves no effect to run after any transition', () => {
    const [pending] = initialTransition(jobMachine, { maxAttempts: 2 });
    const events: readonly JobEvent[] = [
      { type: 'START' },
      { type: 'COMPLETE', attempt, outputPath: 'r.json' },
      { type: 'FAIL', attempt, code: 'timeout', message: 'too long' },
      lost,
      { type: 'RELEASE', attempt },
      { type: 'CANCEL' },
    ];
    expect(new Set(events.map(({ type }) => type))).to.deep.equal(new Set(jobMachine.events));
    let taken = 0;
    for (const before of [pending, running(2), running(1)]) {
      for (const event of events.filter((each) => before.can(each))) {
        const [, effects] = transition(jobMachine, before, event);
        expect(effects, `${before.value} ${event.type}`).to.deep.equal([]);
        taken += 1;
      }
    }
    expect(taken).to.equal(12);
  });

  it('restores from JSON a snapshot that accepts the same events', () => {
    const before = running(2);
    const snapshot = JSON.stringify(jobMachine.getPersistedSnapshot(before));
    const jobId = jobIdSchema.parse('01890a5d-ac96-774b-bcce-b302099a8057');
    const after = restoreSnapshot({ jobId, machineVersion: JOB_MACHINE_VERSION, snapshot });
    expect(transition(jobMachine, after, lost)[0].value).to.equal('pending');
    expect(after.context).to.deep.equal(before.context);
  });

  it('restores what version 1 stored', () => {
    const jobId = jobIdSchema.parse('01890a5d-ac96-774b-bcce-b302099a8057');
    const stored =
      '{"status":"done","output":null,"value":"failed","historyValue":{},"context":{"attempt":2,"interruptions":0,"maxAttempts":3,"outputPath":null,"errorCode":"invalid_video","errorMessage":"no video track"},"children":{},"tags":[]}';
    const restored = restoreSnapshot({ jobId, machineVersion: 1, snapshot: stored });
    expect(restored.value).to.equal('failed');
    expect(restored.context.errorCode).to.equal('invalid_video');
  });

  it('rejects a snapshot of an unknown version and names both versions', () => {
    const jobId = jobIdSchema.parse('01890a5d-ac96-774b-bcce-b302099a8057');
    expect(() => restoreSnapshot({ jobId, machineVersion: 99, snapshot: '{}' })).to.throw(
      /version 99.*versions up to 1/,
    );
  });
});

describe('an interrupted job', () => {
  it('goes back to pending while an attempt is left', () => {
    const [next] = transition(jobMachine, running(2), lost);
    expect(next.value).to.equal('pending');
    expect(next.context).to.include({ interruptions: 1, errorCode: null });
  });

  it('fails when the last attempt is lost and gives the reason', () => {
    const [next] = transition(jobMachine, running(1), lost);
    expect(next.value).to.equal('failed');
    expect(next.context.errorCode).to.equal('decoder_crashed');
    expect(next.context.errorMessage).to.match(/no attempt left: SIGSEGV/);
  });

  it('loses no attempt when a shutdown releases it', () => {
    const [released] = transition(jobMachine, running(1), { type: 'RELEASE', attempt });
    expect(released.value).to.equal('pending');
    expect(released.context).to.include({ attempt: 1, interruptions: 0 });
    const [again] = transition(jobMachine, released, { type: 'START' });
    expect(again.context.attempt).to.equal(2);
  });
});

describe('a stale attempt', () => {
  const second = transition(jobMachine, transition(jobMachine, running(3), lost)[0], { type: 'START' })[0];
  for (const event of [
    { type: 'COMPLETE', attempt, outputPath: 'x' },
    { type: 'FAIL', attempt, code: 'internal', message: 'x' },
    lost,
    { type: 'RELEASE', attempt },
  ] as const) {
    it(`has its ${event.type} rejected`, () => {
      expect(second.context.attempt).to.equal(2);
      expect(second.can(event)).to.equal(false);
    });
  }
});
