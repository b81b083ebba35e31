import { expect } from 'chai';
import { ChildHandle, type ChildHandleOptions } from '../../src/pool/child-handle.ts';
import { createLog } from '../../src/log.ts';
import { detectIsolation, limitMappedMemory } from '../../src/pool/isolation.ts';
import { childrenOf } from '../../tools/child-processes.ts';
import { isAlive, PoolFixture, rejectionOf } from './pool-fixture.ts';

describe('ChildHandle', () => {
  let fixture: PoolFixture;
  let child: ChildHandle;

  before(async function beforeAll() {
    fixture = await PoolFixture.open();
    child = await start('../../src/pool/child.js');
  });

  const start = async (module: string, options: Partial<ChildHandleOptions> = {}): Promise<ChildHandle> =>
    ChildHandle.start({
      isolation: await detectIsolation({ environment: process.env }),
      module: new URL(module, import.meta.url),
      start: { threads: 1 },
      warm: { warmUp: [] },
      startIdleMs: 60_000,
      log: createLog('silent'),
      ...options,
    });

  after(async () => {
    await child.kill();
    await fixture[Symbol.asyncDispose]();
  });

  it('replies in batches, and decodes at most a window ahead', async () => {
    const frames = 200;
    await child.open(fixture.openRequest(fixture.video('still', { frames, picture: 'color=c=gray' })));
    let taken = 0;
    for (let done = false; !done;) {
      const reply = await child.next();
      taken += reply.frames.length;
      done = reply.done;
      expect(reply.frames.length).to.be.at.most(32);
      // Each packet counts twice: when it is read and when it is decoded.
      expect(reply.decoded / 2 - taken).to.be.at.most(64);
    }
    expect(taken).to.equal(frames);
  });

  it('has ended when kill resolves, and a second kill is not an error', async () => {
    await child.kill();
    expect(isAlive(child.pid)).to.equal(false);
    expect(child.isAlive()).to.equal(false);
    expect(child.death).to.include({ signal: 'SIGKILL' });
    await child.kill();
  });

  const children = () => (process.platform === 'linux' ? childrenOf(process.pid) : []);

  it('that makes no progress during its start is killed, with a reason', async () => {
    const before = children();
    const refused = await rejectionOf(start('children/unready-child.js', { startIdleMs: 2000 }));
    expect(refused).to.include({ code: 'child_unavailable', retryable: true });
    expect(refused).to.have.property('message').that.contains('no progress for 2 seconds');
    expect(children()).to.deep.equal(before);
  });

  it('may start slowly while it makes progress', async function onLinux() {
    if (process.platform !== 'linux') this.skip();
    const slow = await start('children/slow-child.js', { startIdleMs: 2000 });
    expect(slow.isAlive()).to.equal(true);
    await slow.kill();
  });

  it('that ends before it is ready is reported with its output and exit code', async () => {
    const refused = await rejectionOf(start('children/failing-child.js'));
    expect(refused).to.include({ code: 'child_unavailable', retryable: false });
    expect(refused)
      .to.have.property('message')
      .that.contains('exit code 7')
      .and.contains('the machine has no such instruction');
  });

  it('is killed by an abort of its start, which rejects with the reason', async () => {
    const before = children();
    const abort = new AbortController();
    const starting = rejectionOf(start('children/unready-child.js', { signal: abort.signal }));
    const reason = new Error('no longer wanted');
    abort.abort(reason);
    expect(await starting).to.equal(reason);
    expect(children()).to.deep.equal(before);
  });

  it('is refused memory by the kernel beyond its limit', async function onLinux() {
    const isolation = await detectIsolation({ environment: process.env });
    if (!isolation.levels.includes('memory')) this.skip();
    const limitMemory = async (pid: number) => limitMappedMemory(pid, 100_000_000);
    const hungry = await start('children/hungry-child.js', { isolation, limitMemory });
    await hungry.open(fixture.openRequest('any.mp4'));
    const fed = async (): Promise<never> => {
      for (;;) await hungry.next();
    };
    expect(await rejectionOf(fed())).to.include({ code: 'memory_limit' });
    await hungry.kill();
  });

  it('rejects with child_unavailable if the system refuses the fork', async () => {
    const isolation = {
      levels: [],
      command: ['/nowhere/node'],
      environment: {},
      sandbox: { files: false, systemCalls: false },
    };
    const refused = await rejectionOf(start('../../src/pool/child.js', { isolation }));
    expect(refused).to.include({ code: 'child_unavailable', retryable: false });
  });

  it('is not restarted by a request', async () => {
    expect(await rejectionOf(child.next())).to.include({ code: 'decoder_crashed' });
  });
});
