import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { readMachine } from '../../src/pool/machine.ts';

const GiB = 1024 ** 3;

describe('readMachine', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'machine-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  const machineWith = async (files: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(root, dirname(name)), { recursive: true });
      await writeFile(join(root, name), `${content}\n`);
    }
    return readMachine(root, 16, 32 * GiB);
  };

  it('is the whole machine where nothing limits it', async () => {
    expect(await machineWith({})).to.deep.equal({ cores: 16, memoryBytes: 32 * GiB });
    const unlimited = {
      'proc/self/cgroup': '4:memory:/\n0::/',
      'sys/fs/cgroup/memory.max': 'max',
      'sys/fs/cgroup/cpu.max': 'max 100000',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    };
    expect(await machineWith(unlimited)).to.deep.equal({ cores: 16, memoryBytes: 32 * GiB });
  });

  it('is what a control group of version 2 allows, or one above it', async () => {
    const limits = {
      'proc/self/cgroup': '0::/system.slice/reelstate.service',
      'sys/fs/cgroup/system.slice/memory.max': String(2 * GiB),
      'sys/fs/cgroup/system.slice/reelstate.service/memory.max': String(3 * GiB),
      'sys/fs/cgroup/system.slice/reelstate.service/cpu.max': '250000 100000',
    };
    expect(await machineWith(limits)).to.deep.equal({ cores: 3, memoryBytes: 2 * GiB });
  });

  it('is what a control group of version 1 allows', async () => {
    const limits = {
      'proc/self/cgroup': '4:memory:/jobs\n3:cpu,cpuacct:/jobs\n0::/',
      'sys/fs/cgroup/memory/jobs/memory.limit_in_bytes': String(GiB),
      'sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us': '50000',
      'sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us': '100000',
    };
    expect(await machineWith(limits)).to.deep.equal({ cores: 1, memoryBytes: GiB });
  });

  it("finds a container's limit at the root of the mount, though its path is the host's", async () => {
    const limits = {
      'proc/self/cgroup': '4:memory:/docker/0123\n0::/docker/0123',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': String(GiB),
    };
    expect(await machineWith(limits)).to.include({ memoryBytes: GiB });
  });
});
