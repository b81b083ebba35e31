import { readFile, readlink } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { expect } from 'chai';
import { detectIsolation, type Isolation } from '../../src/pool/isolation.ts';
import { mappedBytesFor } from '../../src/pool/memory-plan.ts';
import { MEMORY_BYTES, PoolFixture } from './pool-fixture.ts';

describe('Isolation', () => {
  let fixture: PoolFixture;
  let isolation: Isolation;
  let pid: number;

  before(async function beforeAll() {
    if (process.platform !== 'linux') this.skip();
    fixture = await PoolFixture.open();
    isolation = await detectIsolation({
      environment: { ...process.env, API_KEYS: 'a secret', TZ: 'UTC' },
    });
    const pool = await fixture.pool({ isolation, warmUp: [] });
    pid = pool.pids()[0] ?? 0;
  });

  after(async () => fixture?.[Symbol.asyncDispose]());

  it('always has its own process group, a minimal environment and a low priority', async () => {
    expect(isolation.levels).to.include.members(['process', 'environment', 'priority']);
    const group = /^\d+ \(.*\) \S \d+ (\d+)/.exec(await readFile(`/proc/${pid}/stat`, 'latin1'))?.[1];
    expect(Number(group)).to.equal(pid);
    const names = (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0').map((entry) => entry.split('=')[0]);
    expect(names).to.include('TZ').and.not.include('API_KEYS').and.not.include('HOME');
    expect(getPriority(pid)).to.be.greaterThan(getPriority());
  });

  it('reports exactly the active restrictions of the kernel', async () => {
    const limits = await readFile(`/proc/${pid}/limits`, 'latin1');
    const limit = Number(/^Max data size +(\d+) +\1 /m.exec(limits)?.[1] ?? Infinity);
    // In addition to memory mapped by the runtime, which differs between versions of Node.js.
    expect(limit > mappedBytesFor(MEMORY_BYTES) && limit < Infinity).to.equal(isolation.levels.includes('memory'));
    expect(/^Max core file size +0 +0 /m.test(limits)).to.equal(isolation.levels.includes('memory'));
    const network = await readlink(`/proc/${pid}/ns/net`).catch(() => 'not to be seen');
    expect(network !== (await readlink('/proc/self/ns/net'))).to.equal(isolation.levels.includes('network'));
    const status = await readFile(`/proc/${pid}/status`, 'latin1');
    expect(/^NoNewPrivs:\t1$/m.test(status)).to.equal(isolation.levels.includes('privileges'));
  });

  it('works without restrictions that the machine lacks', async () => {
    const bare = await detectIsolation({ environment: { PATH: '/nowhere' } });
    expect(bare.command.at(-1)).to.equal(process.execPath);
  });
});
