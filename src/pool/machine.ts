import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';

/** What this process may use of the machine. */
export interface Machine {
  readonly cores: number;
  /** The memory of the machine, or less where a control group (a container, a systemd unit) allows less. */
  readonly memoryBytes: number;
}

/** Where the memory controllers of version 2 and 1 are mounted. */
const MEMORY_FILES = [
  ['sys/fs/cgroup', 'memory.max'],
  ['sys/fs/cgroup/unified', 'memory.max'],
  ['sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
] as const;
const QUOTA_V2 = ['sys/fs/cgroup', 'sys/fs/cgroup/unified'] as const;
const QUOTA_V1 = ['sys/fs/cgroup/cpu', 'sys/fs/cgroup/cpu,cpuacct'] as const;

/** @param root the file system's root; a test has its own */
export function readMachine(root = '/', cores = availableParallelism(), memoryBytes = totalmem()): Machine {
  const groups = groupsOf(root);
  const memory = MEMORY_FILES.flatMap(([mount, file]) => groups.map((group) => number(join(root, mount, group, file))));
  const quotas = [
    ...QUOTA_V2.flatMap((mount) => groups.map((group) => quotaV2(join(root, mount, group)))),
    ...QUOTA_V1.flatMap((mount) => groups.map((group) => quotaV1(join(root, mount, group)))),
  ];
  return {
    cores: Math.max(1, Math.ceil(Math.min(cores, ...quotas))),
    memoryBytes: Math.min(memoryBytes, ...memory),
  };
}

/**
 * The control groups of this process and all above them, which limit it too. In a container the path may be that of the
 * host and lead nowhere; the root of the mount is then its own group.
 */
function groupsOf(root: string): readonly string[] {
  const groups = new Set(['.']);
  for (const line of read(join(root, 'proc/self/cgroup')).split('\n')) {
    const parts = (line.split(':')[2] ?? '').split('/').filter((part) => part !== '' && part !== '..');
    for (let depth = parts.length; depth > 0; depth--) groups.add(join(...parts.slice(0, depth)));
  }
  return [...groups];
}

function quotaV2(folder: string): number {
  const [quota, period] = read(join(folder, 'cpu.max')).split(' ').map(Number);
  return coresOf(quota, period);
}

function quotaV1(folder: string): number {
  return coresOf(number(join(folder, 'cpu.cfs_quota_us')), number(join(folder, 'cpu.cfs_period_us')));
}

/** Infinity where there is no quota: an absent file, `max`, or -1. */
function coresOf(quota: number | undefined, period: number | undefined): number {
  const share = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return share > 0 ? share : Infinity;
}

/** Infinity for an absent file, and for `max`. */
function number(file: string): number {
  const text = read(file).trim();
  return /^-?\d+$/.test(text) ? Number(text) : Infinity;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
