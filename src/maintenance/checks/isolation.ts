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
/** The fences that depend on the machine, and the program of util-linux that puts each up. */
const FENCES: readonly (readonly [level: IsolationLevel, program: string])[] = [
  ['memory', 'prlimit'],
  ['network', 'unshare'],
  ['privileges', 'setpriv'],
];

export interface ChildToStart {
  readonly plan: ChildPlan;
  readonly warmUp: readonly PipelineDefinition[];
  readonly modelsFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Starts a process as they decode videos, with its threads and models, and tells which fences it has. */
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
  const used = Math.max(0, ...pool.pids().map((pid) => usedMemoryOf(pid)));
  const started = `a process with ${plan.threads} inference threads started and uses ${mib(used)} of ${mib(plan.memoryBytes)}`;
  const missing = FENCES.filter(([level]) => !pool.levels.includes(level));
  if (missing.length === 0) return ok(CHECK, `${started}; ${pool.levels.join(', ')}`);
  const names = missing.map(([level]) => level).join(', ');
  const programs = missing.map(([, program]) => program).join(', ');
  return warning(
    CHECK,
    `${started}; it goes without: ${names}`,
    `Install util-linux (${programs}), and allow user namespaces where unshare is refused (a container, a sysctl)`,
  );
}
