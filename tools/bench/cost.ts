import { spawnSync } from 'node:child_process';
import { median } from './figures.ts';

export interface Cost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/** CPU time of this process; the models have one thread. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const [before, startedMs] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wallSeconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6 };
}

export function medianCpu(costs: readonly Cost[]): number {
  return median(costs.map(({ cpuSeconds }) => cpuSeconds));
}

/** Runs a program to its end and includes its start; undefined if it is not installed. */
export function program(
  name: string,
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { readonly output: string; readonly cost: Cost } | undefined {
  const startedMs = performance.now();
  // Node.js does not report the CPU time of a child, so the shell does: user and system seconds on the last line.
  const script = 'TIMEFORMAT="%U %S"; time "$@" 2>&-';
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', name, ...options], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', ...environment },
  });
  if (status === 127) return undefined;
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
  const [user = '', system = ''] = stderr.trim().split('\n').at(-1)?.split(' ') ?? [];
  const wallSeconds = (performance.now() - startedMs) / 1000;
  return { output: stdout, cost: { wallSeconds, cpuSeconds: Number(user) + Number(system) } };
}
