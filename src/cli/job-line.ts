import type { JobItem, StatusAnswer } from '../client/answers.ts';
import { printable } from './printable.ts';

/** A job in one line: id, state, since when, and why it failed. */
export function jobLine(job: StatusAnswer | JobItem): string {
  const { job_id: jobId, status, updated_at: since, error_code: code, error_message: message = '' } = job;
  const pipeline = 'pipeline_id' in job ? [job.pipeline_id.padEnd(10)] : [];
  const reason = code === undefined ? [] : [`${code}: ${message}`];
  return printable([jobId, status.padEnd(9), ...pipeline, since, ...reason].join('  '));
}
