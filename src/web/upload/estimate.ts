import type { JobResponse, JobsResponse } from '../../client/responses.ts';
import { requestJson } from '../shared/request.ts';

/** Jobs of the same pipeline that an estimate is made from. */
const SAMPLE = 5;

/**
 * Milliseconds that a frame took in the last jobs of a pipeline, in the median; null where there are none. The time of
 * a job is that from its acceptance to its end, so a service that is busy is counted as slow.
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
