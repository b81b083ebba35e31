import { expect } from 'chai';
import { createActor, fromCallback, fromPromise, SimulatedClock, waitFor, type ActorRefFrom } from 'xstate';
import { workerMachine, type Claim, type Outcome } from '../../machines/worker.ts';

interface Script {
  readonly claims: (Claim | null | Error)[];
  readonly analyse?: (signal: AbortSignal) => Promise<Outcome>;
  readonly record?: (outcome: Outcome) => Promise<void>;
}

const job = (jobId: string): Claim => ({ jobId, attempt: 1 });
const done: Outcome = { type: 'COMPLETE', attempt: 1, outputPath: 'r' };

/** A worker whose claims are given; what is not scripted never ends. */
function startWorker({ claims, analyse, record }: Script) {
  const clock = new SimulatedClock();
  const recorded: Outcome[] = [];
  let wake = (): void => {};
  const actor = createActor(
    workerMachine.provide({
      actors: {
        awaitWork: fromCallback(({ sendBack }) => {
          wake = () => sendBack({ type: 'WAKE' });
          if (claims.length > 0) wake();
        }),
        claim: fromPromise<Claim | null>(async () => {
          const next = claims.shift() ?? null;
          if (next instanceof Error) throw next;
          return next;
        }),
        analyse: fromPromise<Outcome, Claim | null>(({ signal }) => (analyse ?? (() => new Promise(() => {})))(signal)),
        record: fromPromise<void, { claim: Claim | null; outcome: Outcome }>(async ({ input }) => {
          await record?.(input.outcome);
          recorded.push(input.outcome);
        }),
      },
      delays: { backoff: 1_000, jobTimeout: 5_000 },
    }),
    { clock },
  ).start();
  return { actor, clock, recorded, wake: () => wake() };
}

const reaches = (actor: ActorRefFrom<typeof workerMachine>, work: string) =>
  waitFor(actor, ({ value }) => value.work === work, { timeout: 5_000 });

describe('the worker machine', () => {
  it('takes one job after the other, and rests when none waits', async () => {
    const { actor, recorded } = startWorker({ claims: [job('a'), job('b'), null], analyse: async () => done });
    await waitFor(actor, ({ context, value }) => context.taken === 2 && value.work === 'resting', { timeout: 5_000 });
    expect(recorded).to.deep.equal([done, done]);
  });

  it('woken while it rests, takes what waits', async () => {
    const { actor, recorded, wake } = startWorker({ claims: [null], analyse: async () => done });
    await reaches(actor, 'resting');
    wake();
    expect(actor.getSnapshot().value.work).to.equal('claiming');
    await reaches(actor, 'resting');
    expect(recorded).to.deep.equal([]);
  });

  it('drained while it rests, stops at once', async () => {
    const { actor } = startWorker({ claims: [] });
    await reaches(actor, 'resting');
    actor.send({ type: 'DRAIN' });
    expect(actor.getSnapshot().value.work).to.equal('stopped');
  });

  it('drained at work, finishes the job in hand and takes no other', async () => {
    let finish = (_outcome: Outcome): void => {};
    const analyse = () => new Promise<Outcome>((resolve) => (finish = resolve));
    const { actor, recorded } = startWorker({ claims: [job('a'), job('b')], analyse });
    await reaches(actor, 'analysing');
    actor.send({ type: 'DRAIN' });
    expect(actor.getSnapshot().value).to.deep.equal({ intake: 'draining', work: 'analysing' });
    finish(done);
    const { context } = await reaches(actor, 'stopped');
    expect(recorded).to.deep.equal([done]);
    expect(context.taken).to.equal(1);
  });

  it('drained before its first claim, still takes that one: a step on demand', async () => {
    const { actor } = startWorker({ claims: [job('a'), job('b')], analyse: async () => done });
    actor.send({ type: 'DRAIN' });
    expect((await reaches(actor, 'stopped')).context.taken).to.equal(1);
  });

  for (const [event, outcome] of [
    [{ type: 'HALT' }, { type: 'RELEASE', attempt: 1 }],
    [{ type: 'CANCEL', jobId: 'a' }, null],
  ] as const) {
    it(`${event.type} aborts the work in hand and records ${outcome?.type ?? 'nothing'}`, async () => {
      let aborted = false;
      const analyse = (signal: AbortSignal) =>
        new Promise<Outcome>(() => signal.addEventListener('abort', () => (aborted = true)));
      const { actor, recorded } = startWorker({ claims: [job('a')], analyse });
      await reaches(actor, 'analysing');
      actor.send({ type: 'CANCEL', jobId: 'another' });
      expect(aborted).to.equal(false);
      actor.send(event);
      expect(aborted).to.equal(true);
      await waitFor(actor, ({ value }) => value.work === 'resting' || value.work === 'stopped');
      expect(recorded).to.deep.equal([outcome]);
    });
  }

  it('halted while it claims, gives the claimed job back untouched', async () => {
    const { actor, recorded } = startWorker({ claims: [job('a')] });
    actor.send({ type: 'HALT' });
    const { context } = await reaches(actor, 'stopped');
    expect(recorded).to.deep.equal([{ type: 'RELEASE', attempt: 1 }]);
    expect(context.taken).to.equal(1);
  });

  it('fails a job that takes longer than its time, aborting the work', async () => {
    let aborted = false;
    const analyse = (signal: AbortSignal) =>
      new Promise<Outcome>(() => signal.addEventListener('abort', () => (aborted = true)));
    const { actor, clock, recorded } = startWorker({ claims: [job('a')], analyse });
    await reaches(actor, 'analysing');
    clock.increment(5_000);
    expect(aborted).to.equal(true);
    await reaches(actor, 'resting');
    expect(recorded).to.have.lengthOf(1);
    expect(recorded[0]).to.include({ type: 'FAIL', attempt: 1, code: 'timeout' });
    expect(recorded[0]).to.have.property('message').that.contains('JOB_TIMEOUT_MS');
  });

  it('fails a job whose analysis met a defect of ours', async () => {
    const { actor, recorded } = startWorker({
      claims: [job('a')],
      analyse: async () => Promise.reject(new Error('bug')),
    });
    await reaches(actor, 'resting');
    expect(recorded[0]).to.include({ type: 'FAIL', code: 'internal', message: 'Error: bug' });
  });

  it('waits and tries again when a claim is refused by the store', async () => {
    const { actor, clock } = startWorker({ claims: [new Error('disk full'), job('a')] });
    await reaches(actor, 'faltering');
    clock.increment(1_000);
    await reaches(actor, 'analysing');
  });

  it('keeps the outcome until the store takes it', async () => {
    let full = true;
    const record = async (): Promise<void> => {
      if (full) throw new Error('disk full');
    };
    const { actor, clock, recorded } = startWorker({ claims: [job('a')], analyse: async () => done, record });
    await reaches(actor, 'holding');
    full = false;
    clock.increment(1_000);
    await reaches(actor, 'resting');
    expect(recorded).to.deep.equal([done]);
  });

  for (const event of [{ type: 'DRAIN' }, { type: 'HALT' }] as const) {
    it(`${event.type} ends the wait for a store that refused a claim`, async () => {
      const { actor, recorded } = startWorker({ claims: [new Error('disk full'), job('a')] });
      await reaches(actor, 'faltering');
      actor.send(event);
      expect(actor.getSnapshot().value.work).to.equal('stopped');
      expect(recorded).to.deep.equal([]);
    });
  }

  it('halted while it keeps an outcome, leaves the job to the next start', async () => {
    const record = () => Promise.reject(new Error('disk full'));
    const { actor } = startWorker({ claims: [job('a')], analyse: async () => done, record });
    await reaches(actor, 'holding');
    actor.send({ type: 'DRAIN' });
    expect(actor.getSnapshot().value.work).to.equal('holding');
    actor.send({ type: 'HALT' });
    expect(actor.getSnapshot().value.work).to.equal('stopped');
  });

  it('describes every state and every transition', () => {
    const nodes = Object.values(workerMachine.states).flatMap((region) => Object.values(region.states));
    for (const node of nodes) {
      expect(node.description, node.id).to.match(/\w/);
      for (const { description, eventType } of [...node.transitions.values()].flat()) {
        expect(description, `${node.id} ${eventType}`).to.match(/\w/);
      }
    }
  });
});
