import type {
  DeletionAnswer,
  FrameResult,
  JobItem,
  JobsAnswer,
  MachineAnswer,
  PipelinesAnswer,
  StatusAnswer,
  TransitionsAnswer,
} from './answers.ts';

/**
 * Whether an answer is what its type says, as far as a client goes on it: what the service itself answers is tested
 * against its schemas, and what answers in its place (a proxy, another program) is noticed here.
 */

const STATES: ReadonlySet<unknown> = new Set(['pending', 'running', 'completed', 'failed']);

export function isSubmission(value: unknown): value is { readonly job_id: string } {
  return isObject(value) && typeof value['job_id'] === 'string';
}

export function isStatus(value: unknown): value is StatusAnswer {
  return isSubmission(value) && 'status' in value && STATES.has(value.status);
}

export function isDeletion(value: unknown): value is DeletionAnswer {
  return isSubmission(value) && 'deleted_at' in value && typeof value.deleted_at === 'string';
}

export function isJobs(value: unknown): value is JobsAnswer {
  if (!isObject(value) || !Array.isArray(value['jobs'])) return false;
  const { jobs, next_cursor: cursor } = value;
  return (cursor === null || typeof cursor === 'string') && Array.isArray(jobs) && jobs.every((job) => isJob(job));
}

export function isTransitions(value: unknown): value is TransitionsAnswer {
  return isObject(value) && isJob(value['job']) && Array.isArray(value['transitions']);
}

export function isMachine(value: unknown): value is MachineAnswer {
  return isObject(value) && isObject(value['definition']) && isObject(value['definition']['states']);
}

export function isPipelines(value: unknown): value is PipelinesAnswer {
  return isObject(value) && Array.isArray(value['pipelines']);
}

export function isFrameResult(value: unknown): value is FrameResult {
  return isObject(value) && Number.isInteger(value['frame_index']) && isObject(value['result']);
}

function isJob(value: unknown): value is JobItem {
  return isStatus(value) && 'pipeline_id' in value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
