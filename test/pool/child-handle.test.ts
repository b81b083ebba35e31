import { expect } from 'chai';
import { ChildHandle } from '../../src/pool/child-handle.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { childrenOf } from '../../tools/child-processes.ts';
import { isAlive, MEMORY_BYTES, PoolFixture, rejectionOf } from './pool-fixture.ts';

describe('ChildHandle', () => {
  let fixture: PoolFixture;
  let child: ChildHandle;

  before(async function beforeAll() {
    this.timeout(60_000);
    fixture = await PoolFixture.open();
    child = await start('../../src/pool/child.js', 60_000);
  });

  const start = async (module: string, startTimeoutMs: number): Promise<ChildHandle> =>
    ChildHandle.start({
      isolation: await detectIsolation({ memoryBytes: MEMORY_BYTES, environment: process.env }),
      module: new URL(module, import.meta.url),
      start: { threads: 1, modelsFolder: undefined, warmUp: [] },
      startTimeoutMs,
    });

  after(async () => {
    await child.kill();
    await fixture[Symbol.asyncDispose]();
  });

  it('is answered in batches, and decodes no more than a window ahead of the one that was taken', async () => {
    const frames = 200;
    await child.open(fixture.request(fixture.video('still', { frames, picture: 'color=c=gray' })));
    let taken = 0;
    for (let done = false; !done;) {
      const reply = await child.next();
      taken += reply.frames.length;
      done = reply.done;
      expect(reply.frames.length).to.be.at.most(32);
      expect(reply.decoded - taken).to.be.at.most(64);
    }
    expect(taken).to.equal(frames);
  });

  it('is gone when kill resolves, and a second kill is no error', async () => {
    await child.kill();
    expect(isAlive(child.pid)).to.equal(false);
    expect(child.isAlive()).to.equal(false);
    expect(child.death).to.include({ signal: 'SIGKILL' });
    await child.kill();
  });

  it('that is not ready in time is killed, and the reason is named', async () => {
    const children = () => (process.platform === 'linux' ? childrenOf(process.pid) : []);
    const before = children();
    const refused = await rejectionOf(start('children/unready-child.js', 2_000));
    expect(refused).to.include({ code: 'stalled', retryable: true });
    expect(refused).to.have.property('message').that.contains('not ready within 2 seconds');
    expect(children()).to.deep.equal(before);
  }).timeout(30_000);

  it('is not brought back to life by a question', async () => {
    expect(await rejectionOf(child.next())).to.include({ code: 'decoder_crashed' });
  });
});
