import { createLog } from '../../log.ts';
import { messageOf } from '../../errors.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { detectIsolation, type IsolationLevel } from '../../pool/isolation.ts';
import type { ChildPlan } from '../../pool/memory-plan.ts';
import { ProcessPool } from '../../pool/process-pool.ts';
import { usedMemoryOf } from '../../pool/process-status.ts';
import { warning, ok, failed, type CheckResult } from '../check-result.ts';
import { mib } from '../mib.ts';

const CHECK = 'isolation';
/** Layers that depend on the machine, and the requirement of each. */
const NEEDS: readonly (readonly [level: IsolationLevel, need: string])[] = [
  ['memory', 'prlimit of util-linux'],
  ['network', 'unshare of util-linux, and user namespaces where it is not root'],
  ['privileges', 'setpriv of util-linux'],
  ['capabilities', 'setpriv of util-linux, and a program that its user may read'],
  ['files', 'Linux 5.13 or later with Landlock, not blocked by a container'],
  ['system-calls', 'Linux with seccomp on x64 or arm64'],
];

export interface ChildToStart {
  readonly plan: ChildPlan;
  readonly warmUp: readonly PipelineDefinition[];
  readonly modelsFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Starts a child process with its threads and models, and reports its sandbox layers. */
export async function checkIsolation({ plan, warmUp, modelsFolder, environment }: ChildToStart): Promise<CheckResult> {
  await using pool = ProcessPool.open({
    size: 1,
    ...plan,
    isolation: await detectIsolation({ environment }),
    stallTimeoutMs: Infinity,
    recycleAfterJobs: Infinity,
    warmUp,
    modelsFolder,
    log: createLog('silent'),
  });
  try {
    await pool.ready;
  } catch (error) {
    return failed(
      CHECK,
      messageOf(error),
      'Lower PIPELINE_THREADS, raise CHILD_MEMORY_BYTES, or reinstall the packages',
    );
  }
  // 0: this system does not tell it.
  const used = Math.max(0, ...pool.pids().map((pid) => usedMemoryOf(pid)));
  const memory = used === 0 ? `may use ${mib(plan.memoryBytes)}` : `uses ${mib(used)} of ${mib(plan.memoryBytes)}`;
  const started = `a process with ${plan.threads} inference threads started and ${memory}`;
  const missing = NEEDS.filter(([level]) => !pool.levels.includes(level));
  if (missing.length === 0) return ok(CHECK, `${started}; ${pool.levels.join(', ')}`);
  const names = missing.map(([level]) => level).join(', ');
  const needs = missing.map(([level, need]) => `${level}: ${need}`).join('; ');
  return warning(CHECK, `${started}; it goes without: ${names}`, `Provide what is missing (${needs})`);
}
