import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { ServiceError } from '../../src/errors.ts';
import type { FrameResult } from '../../src/job.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import type { ProcessPool } from '../../src/pool/process-pool.ts';
import { all, isAlive, PoolFixture, rejectionOf } from './pool-fixture.ts';

const moduleUrl = (name: string) => new URL(name, import.meta.url);

describe('ProcessPool', () => {
  let fixture: PoolFixture;
  let pool: ProcessPool;
  /** Two hundred different frames: after the first one the job is in the middle of its work. */
  let long: string;
  let short: string;

  before(async function beforeAll() {
    fixture = await PoolFixture.open();
    pool = await fixture.pool();
    long = fixture.video('long', { frames: 200 });
    short = fixture.video('short', { frames: 2 });
  });

  after(async () => fixture[Symbol.asyncDispose]());

  /** A job of which one result was read. */
  async function begun(signal?: AbortSignal, from = pool): Promise<AsyncGenerator<FrameResult, unknown, void>> {
    const results = from.run(fixture.request(long, { analyseRepeats: true }), signal);
    expect(await results.next()).to.have.nested.property('value.frame_index', 0);
    return results;
  }

  async function expectHealed(diedPid: number): Promise<void> {
    expect(isAlive(diedPid)).to.equal(false);
    expect(await all(pool.run(fixture.request(short)))).to.have.length(2);
    expect(pool.pids()).to.have.length(1).and.not.include(diedPid);
  }

  const onlyPid = () => {
    const [pid] = pool.pids();
    if (pid === undefined) throw new Error('the pool has no child');
    return pid;
  };

  it('names the signal that a child died of, and runs the next job', async () => {
    const results = await begun();
    const pid = onlyPid();
    process.kill(pid, 'SIGSEGV');
    const error = await rejectionOf(all(results));
    expect(error).to.be.instanceOf(ServiceError).and.include({ code: 'decoder_crashed', retryable: true });
    expect(error).to.have.property('message').that.includes('SIGSEGV');
    await expectHealed(pid);
  });

  it('kills a child that no longer responds', async () => {
    const steady = await fixture.pool({ stallTimeoutMs: 2000, childModule: moduleUrl('children/steady-child.js') });
    const results = steady.run(fixture.request(long));
    await results.next();
    const [pid = 0] = steady.pids();
    process.kill(pid, 'SIGSTOP');
    expect(await rejectionOf(all(results))).to.include({ code: 'stalled', retryable: true });
    expect(isAlive(pid)).to.equal(false);
  });

  it('ends an aborted job and its child at once, with the reason of the signal', async () => {
    const abort = new AbortController();
    const results = await begun(abort.signal);
    const pid = onlyPid();
    const rest = all(results);
    const reason = new Error('no longer wanted');
    abort.abort(reason);
    expect(await rejectionOf(rest)).to.equal(reason);
    await expectHealed(pid);
  });

  it('kills the child of a job that is aborted while its results are not read', async () => {
    const abort = new AbortController();
    const results = await begun(abort.signal);
    const pid = onlyPid();
    abort.abort(new Error('no longer wanted'));
    await eventually(() => !isAlive(pid));
    expect(await rejectionOf(all(results))).to.equal(abort.signal.reason);
    await expectHealed(pid);
  });

  it('kills the child of a job whose results are not read to the end', async () => {
    const results = await begun();
    const pid = onlyPid();
    await results.return(undefined);
    await expectHealed(pid);
  });

  it('lets a job wait for a child, and be aborted while it waits', async () => {
    const results = await begun();
    const abort = new AbortController();
    const impatient = rejectionOf(all(pool.run(fixture.request(short), abort.signal)));
    const patient = all(pool.run(fixture.request(short)));
    abort.abort(new Error('waited too long'));
    expect(await impatient).to.equal(abort.signal.reason);
    await results.return(undefined);
    expect(await patient).to.have.length(2);
  });

  it('replaces a child that died between two jobs', async () => {
    const pid = onlyPid();
    process.kill(pid, 'SIGKILL');
    await eventually(() => !isAlive(pid));
    await expectHealed(pid);
  });

  it('replaces a child after so many jobs', async () => {
    const recycling = await fixture.pool({ recycleAfterJobs: 3 });
    const seen = new Set<number | undefined>();
    for (let job = 0; job < 6; job++) {
      const results = recycling.run(fixture.request(short));
      await results.next();
      seen.add(recycling.pids()[0]);
      expect(await all(results)).to.have.length(1);
    }
    expect(seen.size).to.equal(2);
  });

  it('kills a child in an endless loop', async () => {
    const loops = await fixture.pool({ stallTimeoutMs: 500, childModule: moduleUrl('children/looping-child.js') });
    const error = await rejectionOf(all(loops.run(fixture.request(short))));
    expect(error).to.include({ code: 'stalled', framesDecoded: 0, retryable: true });
  });

  it('fails a job that exceeds the memory limit, and names the limit', async () => {
    const hungry = await fixture.pool({ childModule: moduleUrl('children/hungry-child.js'), memoryBytes: 200_000_000 });
    const error = await rejectionOf(all(hungry.run(fixture.request(short))));
    expect(error).to.include({ code: 'memory_limit', retryable: false });
    expect(error)
      .to.have.property('message')
      .that.matches(/200 MB that CHILD_MEMORY_BYTES allows.*raise/);
  });

  it('runs a job that ran out of memory again with one thread, and yields each frame once', async () => {
    const frugal = await fixture.pool({ childModule: moduleUrl('children/frugal-child.js'), threads: 2 });
    const results = await all(frugal.run(fixture.request(short)));
    expect(results.map(({ frame_index }) => frame_index)).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('starts children without the limit of the kernel when none starts under it', async function onLinux() {
    const isolation = await detectIsolation({ environment: process.env });
    if (!isolation.levels.includes('memory')) this.skip();
    const childModule = moduleUrl('children/mapping-child.js');
    const unlimited = await fixture.pool({ childModule, isolation, memoryBytes: 300_000_000 });
    expect(unlimited.levels).to.include('memory-watch').and.not.include('memory');
  });

  it('interrupts running jobs when it is closed, and leaves no child', async () => {
    const closing = await fixture.pool({ size: 2, warmUp: [] });
    const pids = closing.pids();
    expect(pids).to.have.length(2);
    const results = closing.run(fixture.request(long));
    await results.next();
    const rest = rejectionOf(all(results));
    await closing.close();
    expect(await rest).to.include({ code: 'interrupted', retryable: true });
    expect(pids.filter(isAlive)).to.deep.equal([]);
  });

  for (const [state, module] of [
    ['idle', '../../src/pool/child.js'],
    ['stuck in native code', 'children/stuck-child.js'],
  ] as const) {
    it(`ends every child when the service is killed, also one that is ${state}`, async () => {
      const parent = spawn(process.execPath, [fileURLToPath(moduleUrl('doomed-parent.js')), moduleUrl(module).href]);
      const [line] = await once(parent.stdout, 'data');
      const pids = String(line).match(/\d+/g)?.map(Number) ?? [];
      expect(pids).to.have.length(2);
      expect(pids.every(isAlive)).to.equal(true);
      parent.kill('SIGKILL');
      await eventually(() => !pids.some(isAlive));
    });
  }
});

/** Polls a condition without an event; the timeout of the test is the limit. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}
