import { readFile } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { Machine } from '../../pool/machine.ts';
import { checkPipelineMemory, type ChildPlan } from '../../pool/memory-plan.ts';
import { warning, ok, failed, type CheckResult } from '../check-result.ts';
import { mib } from '../mib.ts';

/** Open files at rest: database, libraries, pipes to child processes. */
const OWN_FILES = 200;
/** Every connection and every upload is an open file. */
export async function checkOpenFiles(maxConnections: number, maxUploads: number): Promise<CheckResult> {
  const check = 'open files';
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  if (soft === undefined) return ok(check, 'this system does not tell its limit');
  const needed = maxConnections + maxUploads + OWN_FILES;
  const message = `${soft} may be open; MAX_CONNECTIONS and MAX_UPLOADS need ${needed}`;
  if (Number(soft) >= needed) return ok(check, message);
  return failed(check, message, 'Raise the limit (ulimit -n, LimitNOFILE= of systemd), or lower MAX_CONNECTIONS');
}

/** Checks threads, memory and concurrent jobs together, as a start does. */
export function checkMemory(
  machine: Machine,
  plan: ChildPlan,
  concurrency: number,
  pipelines: readonly PipelineDefinition[],
): CheckResult {
  const check = 'memory';
  const message =
    `${mib(machine.memoryBytes)}, ${machine.cores} cores; WORKER_CONCURRENCY=${concurrency} processes of ` +
    `${plan.threads} inference threads may use ${mib(plan.memoryBytes)} each`;
  try {
    checkPipelineMemory(pipelines, plan);
  } catch (error) {
    return failed(check, messageOf(error), 'Change the setting or the pipeline that the message names');
  }
  if (!plan.isOvercommitted) return ok(check, message);
  return warning(check, message, 'Lower WORKER_CONCURRENCY, or CHILD_MEMORY_BYTES and PIPELINE_THREADS');
}
