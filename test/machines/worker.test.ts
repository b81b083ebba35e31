import { expect } from 'chai';
import { createActor, fromCallback, fromPromise, SimulatedClock, toPromise, waitFor, type ActorRefFrom } from 'xstate';
import type { AnalysisResult, Claim, Outcome } from '../../machines/attempt.ts';
import { workerMachine } from '../../machines/worker.ts';

interface Script {
  readonly claims: (Claim | null | Error)[];
  readonly analyse?: (signal: AbortSignal) => Promise<AnalysisResult>;
  readonly record?: (outcome: Outcome) => Promise<void>;
}

const job = (jobId: string): Claim => ({ jobId, attempt: 1 });
const done: AnalysisResult = { kind: 'completed', outputPath: 'r' };
const completion: Outcome = { type: 'COMPLETE', attempt: 1, outputPath: 'r' };
const diskFull: AnalysisResult = { kind: 'environment', error: new Error('disk full') };

/** A worker with given claims; everything else never ends. */
function startWorker({ claims, analyse, record }: Script) {
  const clock = new SimulatedClock();
  const recorded: Outcome[] = [];
  const logged: string[] = [];
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
        analyse: fromPromise<AnalysisResult, Claim>(({ signal }) => (analyse ?? (() => new Promise(() => {})))(signal)),
        record: fromPromise<void, { readonly claim: Claim; readonly outcome: Outcome }>(async ({ input }) => {
          await record?.(input.outcome);
          recorded.push(input.outcome);
        }),
      },
      actions: {
        logRetry: (_, { step, error }) => logged.push(`${step}: ${String(error)}`),
        logDefect: (_, { error }) => logged.push(`defect: ${String(error)}`),
      },
      delays: { jobTimeout: 5_000 },
    }),
    { clock },
  ).start();
  return { actor, clock, recorded, logged, wake: () => wake() };
}

const reaches = (actor: ActorRefFrom<typeof workerMachine>, work: string) =>
  waitFor(actor, ({ value }) => value.work === work, { timeout: 300_000 });

describe('the worker machine', () => {
  it('takes one job after another, and rests when none is pending', async () => {
    const { actor, recorded } = startWorker({ claims: [job('a'), job('b'), null], analyse: async () => done });
    await waitFor(actor, ({ context, value }) => context.taken === 2 && value.work === 'resting', { timeout: 300_000 });
    expect(recorded).to.deep.equal([completion, completion]);
  });

  it('has no job after it has recorded an outcome', async () => {
    const { actor } = startWorker({ claims: [job('a'), null], analyse: async () => done });
    expect((await reaches(actor, 'analysing')).context.hand).to.have.nested.property('claim.jobId', 'a');
    expect((await reaches(actor, 'resting')).context.hand).to.deep.equal({ kind: 'empty' });
  });

  it('takes a pending job when it is woken', async () => {
    const { actor, recorded, wake } = startWorker({ claims: [null], analyse: async () => done });
    await reaches(actor, 'resting');
    wake();
    expect(actor.getSnapshot().value.work).to.equal('claiming');
    await reaches(actor, 'resting');
    expect(recorded).to.deep.equal([]);
  });

  it('ends at once when it is drained while resting', async () => {
    const { actor } = startWorker({ claims: [] });
    await reaches(actor, 'resting');
    actor.send({ type: 'DRAIN' });
    expect(actor.getSnapshot().value).to.deep.equal({ intake: 'closed', work: 'stopped' });
    expect(await toPromise(actor)).to.deep.equal({ taken: 0 });
  });

  it('finishes the current job and accepts no other when it is drained', async () => {
    let finish = (_result: AnalysisResult): void => {};
    const analyse = () => new Promise<AnalysisResult>((resolve) => (finish = resolve));
    const { actor, recorded } = startWorker({ claims: [job('a'), job('b')], analyse });
    await reaches(actor, 'analysing');
    actor.send({ type: 'DRAIN' });
    expect(actor.getSnapshot().value).to.deep.equal({ intake: 'draining', work: 'analysing' });
    finish(done);
    expect(await toPromise(actor)).to.deep.equal({ taken: 1 });
    expect(recorded).to.deep.equal([completion]);
  });

  it('takes one job when it is drained before its first claim', async () => {
    const { actor } = startWorker({ claims: [job('a'), job('b')], analyse: async () => done });
    actor.send({ type: 'DRAIN' });
    expect(await toPromise(actor)).to.deep.equal({ taken: 1 });
  });

  for (const [event, outcomes] of [
    [{ type: 'HALT' }, [{ type: 'RELEASE', attempt: 1 }]],
    [{ type: 'CANCEL', jobId: 'a' }, []],
  ] as const) {
    it(`${event.type} aborts the work in hand and records ${outcomes[0]?.type ?? 'nothing'}`, async () => {
      let aborted = false;
      const analyse = (signal: AbortSignal) =>
        new Promise<AnalysisResult>(() => signal.addEventListener('abort', () => (aborted = true)));
      const { actor, recorded } = startWorker({ claims: [job('a')], analyse });
      await reaches(actor, 'analysing');
      actor.send({ type: 'CANCEL', jobId: 'another' });
      expect(aborted).to.equal(false);
      actor.send(event);
      expect(aborted).to.equal(true);
      await waitFor(actor, ({ value }) => value.work === 'resting' || value.work === 'stopped');
      expect(recorded).to.deep.equal(outcomes);
    });
  }

  it('gives the claimed job back when it is halted during the claim', async () => {
    const { actor, recorded } = startWorker({ claims: [job('a')] });
    actor.send({ type: 'HALT' });
    expect(await toPromise(actor)).to.deep.equal({ taken: 1 });
    expect(recorded).to.deep.equal([{ type: 'RELEASE', attempt: 1 }]);
  });

  it('aborts and fails a job that exceeds its time', async () => {
    let aborted = false;
    const analyse = (signal: AbortSignal) =>
      new Promise<AnalysisResult>(() => signal.addEventListener('abort', () => (aborted = true)));
    const { actor, clock, recorded } = startWorker({ claims: [job('a')], analyse });
    await reaches(actor, 'analysing');
    clock.increment(5_000);
    expect(aborted).to.equal(true);
    await reaches(actor, 'resting');
    expect(recorded).to.have.lengthOf(1);
    expect(recorded[0]).to.include({ type: 'FAIL', attempt: 1, code: 'timeout' });
    expect(recorded[0]).to.have.property('message').that.contains('JOB_TIMEOUT_MS');
  });

  for (const [kind, type] of [
    ['video', 'FAIL'],
    ['attempt', 'INTERRUPT'],
  ] as const) {
    it(`records ${type} for an error of the ${kind}, and takes the next job at once`, async () => {
      const results: AnalysisResult[] = [{ kind, code: 'c', message: 'm' }, done];
      const { actor, recorded, logged } = startWorker({
        claims: [job('a'), job('b'), null],
        analyse: async () => results.shift() ?? done,
      });
      await waitFor(actor, ({ context, value }) => context.taken === 2 && value.work === 'resting', {
        timeout: 300_000,
      });
      expect(recorded).to.deep.equal([{ type, attempt: 1, code: 'c', message: 'm' }, completion]);
      expect(logged).to.deep.equal([]);
    });
  }

  it('interrupts a job after a defect in the analysis, and logs it', async () => {
    const { actor, recorded, logged } = startWorker({
      claims: [job('a')],
      analyse: async () => Promise.reject(new Error('bug')),
    });
    await reaches(actor, 'resting');
    expect(recorded[0]).to.include({ type: 'INTERRUPT', code: 'internal' });
    expect(logged).to.deep.equal(['defect: Error: bug']);
  });

  it('records nothing for a job that was withdrawn before its analysis', async () => {
    const { actor, recorded } = startWorker({ claims: [job('a')], analyse: async () => ({ kind: 'withdrawn' }) });
    await reaches(actor, 'resting');
    expect(recorded).to.deep.equal([]);
  });

  it('interrupts its job when it dies at any moment', async () => {
    const { actor } = startWorker({ claims: [job('a')] });
    const { context } = await reaches(actor, 'analysing');
    expect(context.hand).to.deep.include({
      outcome: { type: 'INTERRUPT', attempt: 1, code: 'internal', message: 'its worker died' },
    });
  });

  it('gives back a job that the environment refuses, and pauses longer each time, up to a minute', async () => {
    const { actor, clock, recorded, logged } = startWorker({
      claims: Array.from({ length: 9 }, () => job('a')),
      analyse: async () => diskFull,
    });
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const snapshot = await reaches(actor, 'pausing');
      expect(snapshot.hasTag('refused')).to.equal(true);
      clock.increment(seconds * 1_000 - 1);
      expect(actor.getSnapshot().value.work).to.equal('pausing');
      clock.increment(1);
      expect(actor.getSnapshot().value.work).to.equal('claiming');
    }
    await reaches(actor, 'pausing');
    expect(recorded).to.deep.equal(Array.from({ length: 9 }, () => ({ type: 'RELEASE', attempt: 1 })));
    expect(logged).to.deep.equal(Array.from({ length: 9 }, () => 'analyse: Error: disk full'));
  });

  it('forgets the refusals when an attempt has ended', async () => {
    const results = [diskFull, diskFull, done];
    const { actor, clock } = startWorker({
      claims: [job('a'), job('a'), job('a'), null],
      analyse: async () => results.shift() ?? done,
    });
    for (const ms of [1_000, 2_000]) {
      await reaches(actor, 'pausing');
      clock.increment(ms);
    }
    const { context } = await reaches(actor, 'resting');
    expect(context).to.include({ refusals: 0, refusal: null, taken: 3 });
  });

  it('retries a claim that the database refused', async () => {
    const { actor, clock, logged } = startWorker({ claims: [new Error('disk full'), job('a')] });
    await reaches(actor, 'retryingClaim');
    clock.increment(1_000);
    await reaches(actor, 'analysing');
    expect(logged).to.deep.equal(['claim: Error: disk full']);
  });

  it('keeps the outcome until it is committed', async () => {
    let full = true;
    const record = async (): Promise<void> => {
      if (full) throw new Error('disk full');
    };
    const { actor, clock, recorded, logged } = startWorker({ claims: [job('a')], analyse: async () => done, record });
    await reaches(actor, 'retryingRecord');
    full = false;
    clock.increment(1_000);
    await reaches(actor, 'resting');
    expect(recorded).to.deep.equal([completion]);
    expect(logged).to.deep.equal(['record: Error: disk full']);
  });

  for (const event of [{ type: 'DRAIN' }, { type: 'HALT' }] as const) {
    it(`${event.type} ends the wait for a database that refused a claim`, async () => {
      const { actor, recorded } = startWorker({ claims: [new Error('disk full'), job('a')] });
      await reaches(actor, 'retryingClaim');
      actor.send(event);
      expect(actor.getSnapshot().status).to.equal('done');
      expect(recorded).to.deep.equal([]);
    });

    it(`${event.type} ends the pause after a refusal`, async () => {
      const { actor } = startWorker({ claims: [job('a')], analyse: async () => diskFull });
      await reaches(actor, 'pausing');
      actor.send(event);
      expect(actor.getSnapshot().status).to.equal('done');
    });
  }

  it('leaves the job to the next start when it is halted with an outcome that is not committed', async () => {
    const record = () => Promise.reject(new Error('disk full'));
    const { actor } = startWorker({ claims: [job('a')], analyse: async () => done, record });
    await reaches(actor, 'retryingRecord');
    actor.send({ type: 'DRAIN' });
    expect(actor.getSnapshot().value.work).to.equal('retryingRecord');
    actor.send({ type: 'HALT' });
    expect(actor.getSnapshot().status).to.equal('done');
  });

  it('does not wait for an unavailable database after it was halted', async () => {
    const record = () => Promise.reject(new Error('disk full'));
    const { actor } = startWorker({ claims: [job('a')], record });
    await reaches(actor, 'analysing');
    actor.send({ type: 'HALT' });
    expect(await toPromise(actor)).to.deep.equal({ taken: 1 });
  });

  it('describes every state and every transition', () => {
    const nodes = Object.values(workerMachine.states).flatMap((region) => Object.values(region.states));
    for (const node of nodes) {
      expect(node.description, node.id).to.match(/\w/);
      for (const { description, eventType } of [...[...node.transitions.values()].flat(), ...(node.always ?? [])]) {
        expect(description, `${node.id} ${eventType}`).to.match(/\w/);
      }
    }
  });
});
