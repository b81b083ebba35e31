import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';

/** Resources of the machine that this process may use. */
export interface Machine {
  readonly cores: number;
  /** Memory of the machine, or less if a control group (a container, a systemd unit) limits it. */
  readonly memoryBytes: number;
}

/** Mount points of the memory controllers of versions 2 and 1. */
const MEMORY_FILES = [
  ['sys/fs/cgroup', 'memory.max'],
  ['sys/fs/cgroup/unified', 'memory.max'],
  ['sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
] as const;
const QUOTA_V2 = ['sys/fs/cgroup', 'sys/fs/cgroup/unified'] as const;
const QUOTA_V1 = ['sys/fs/cgroup/cpu', 'sys/fs/cgroup/cpu,cpuacct'] as const;

/** @param root root of the file system; tests use their own */
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
 * Returns the control groups of this process and their parents, which limit it too. In a container the path may be that
 * of the host and not exist; the root of the mount is then its group.
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

/** Infinity without a quota: a missing file, `max`, or -1. */
function coresOf(quota: number | undefined, period: number | undefined): number {
  const share = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return share > 0 ? share : Infinity;
}

/** Infinity for a missing file and for `max`. */
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
