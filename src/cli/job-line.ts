import type { JobItem, StatusResponse } from '../client/responses.ts';
import { printable } from './printable.ts';

/** Returns a job as one line: id, state, time of the last change, and the reason of a failure. */
export function jobLine(job: StatusResponse | JobItem): string {
  const { job_id: jobId, status, updated_at: since, error_code: code, error_message: message = '' } = job;
  const pipeline = 'pipeline_id' in job ? [job.pipeline_id.padEnd(10)] : [];
  const reason = code === undefined ? [] : [`${code}: ${message}`];
  return printable([jobId, status.padEnd(9), ...pipeline, since, ...reason].join('  '));
}
