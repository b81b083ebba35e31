import type {
  DeletionResponse,
  FrameResult,
  JobItem,
  JobsResponse,
  MachineResponse,
  PipelinesResponse,
  SearchResponse,
  SegmentKind,
  SegmentsOfKind,
  StatusResponse,
  TransitionsResponse,
} from './responses.ts';

/**
 * Checks the parts of a response that the client relies on. Tests compare the responses of the service with its schemas;
 * these guards detect responses of something else, such as a proxy.
 */

const STATES: ReadonlySet<unknown> = new Set(['pending', 'running', 'completed', 'failed']);

export function isSubmission(value: unknown): value is { readonly job_id: string } {
  return isObject(value) && typeof value['job_id'] === 'string';
}

export function isStatus(value: unknown): value is StatusResponse {
  return isSubmission(value) && 'status' in value && STATES.has(value.status);
}

export function isDeletion(value: unknown): value is DeletionResponse {
  return isSubmission(value) && 'deleted_at' in value && typeof value.deleted_at === 'string';
}

export function isJobs(value: unknown): value is JobsResponse {
  if (!isObject(value) || !Array.isArray(value['jobs'])) return false;
  const { jobs, next_cursor: cursor } = value;
  return (cursor === null || typeof cursor === 'string') && Array.isArray(jobs) && jobs.every((job) => isJob(job));
}

export function isTransitions(value: unknown): value is TransitionsResponse {
  return isObject(value) && isJob(value['job']) && Array.isArray(value['transitions']);
}

export function isMachine(value: unknown): value is MachineResponse {
  return isObject(value) && isObject(value['definition']) && isObject(value['definition']['states']);
}

export function isPipelines(value: unknown): value is PipelinesResponse {
  return isObject(value) && Array.isArray(value['pipelines']) && value['pipelines'].every((item) => isPipeline(item));
}

function isPipeline(value: unknown): boolean {
  return isObject(value) && ['nodes', 'edges', 'outputs'].every((name) => Array.isArray(value[name]));
}

export function isFrameResult(value: unknown): value is FrameResult {
  return isObject(value) && Number.isInteger(value['frame_index']) && isObject(value['result']);
}

const SINGULAR = { text: 'text', objects: 'object', scenes: 'scene' } as const;

export function isSegments<K extends SegmentKind>(
  kind: K,
): (value: unknown) => value is { readonly segments: readonly SegmentsOfKind[K][] } {
  return (value): value is { readonly segments: readonly SegmentsOfKind[K][] } =>
    isObject(value) &&
    Array.isArray(value['segments']) &&
    value['segments'].every((segment) => isObject(segment) && segment['kind'] === SINGULAR[kind]);
}

export function isSearch(value: unknown): value is SearchResponse {
  if (!isObject(value) || !Array.isArray(value['hits'])) return false;
  const { hits, complete, next_cursor: cursor } = value;
  const isPage = typeof complete === 'boolean' && (cursor === null || typeof cursor === 'string');
  return isPage && hits.every((hit) => isSubmission(hit) && 'segments' in hit && Array.isArray(hit.segments));
}

export function isJob(value: unknown): value is JobItem {
  return isStatus(value) && 'pipeline_id' in value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
