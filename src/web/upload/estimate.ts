import type { JobResponse, JobsResponse } from '../../client/responses.ts';
import { requestJson } from '../shared/request.ts';

/** Number of jobs of the same pipeline for an estimate. */
const SAMPLE = 5;

/**
 * Median milliseconds per frame in the last jobs of a pipeline; null without jobs. The time of a job includes waiting,
 * so a busy service counts as slow.
 */
export async function msPerFrame(pipelineId: string): Promise<number | null> {
  const query = new URLSearchParams({ pipeline_id: pipelineId, status: 'completed', limit: String(SAMPLE) });
  const { jobs } = await requestJson<JobsResponse>(`video/jobs?${query}`);
  const facts = await Promise.all(jobs.map(({ job_id: id }) => requestJson<JobResponse>(`video/jobs/${id}`)));
  const rates = facts.flatMap(({ created_at: created, updated_at: ended, media }) => {
    const frames = media.frames_analysed ?? 0;
    return frames === 0 ? [] : [(Date.parse(ended) - Date.parse(created)) / frames];
  });
  return rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)] ?? null;
}
