import type { RouterMiddleware } from '@koa/router';
import type { z } from 'zod';
import { mediaFactsSchema } from '../../job.ts';
import type { JobReads } from '../../store/job-store.ts';
import { isUnchanged } from './entity-tag.ts';
import { jobItemOf, jobItemSchema } from './jobs.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { parseJobId, requireJob } from './status.ts';

const UNKNOWN: z.infer<typeof mediaFactsSchema> = {
  width: null,
  height: null,
  duration_ms: null,
  frame_rate: null,
  codec: null,
  frames_decoded: null,
  frames_analysed: null,
};

export const jobResponseSchema = jobItemSchema.extend({
  media: mediaFactsSchema.describe('Each is null until the job is completed, or if unknown'),
});

/** GET /video/jobs/{job_id} */
export function jobRoute(reads: Pick<JobReads, 'get'>): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const job = requireJob(jobId, await reads.get(jobId));
    if (isUnchanged(ctx, job.jobId, job.revision, job.expiredAt ?? '')) return;
    ctx.body = { ...jobItemOf(job), media: job.media ?? UNKNOWN } satisfies z.infer<typeof jobResponseSchema>;
  };
}
