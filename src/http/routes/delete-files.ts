import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import type { JobEngine } from '../../engine/job-engine.ts';
import { jobIdSchema } from '../../job.ts';
import { audit } from '../middleware/audit.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { parseJobId } from './status.ts';

export const deletionResponseSchema = z.object({
  job_id: jobIdSchema,
  deleted_at: z.iso.datetime().describe('Time of the first deletion, UTC'),
});

/** DELETE /video/jobs/{job_id}. The video and the results are deleted when this responds. */
export function deleteFilesRoute(engine: Pick<JobEngine, 'deleteFiles'>): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const { jobId, deletedAt } = await engine.deleteFiles(parseJobId(ctx.params['job_id']));
    ctx.state.jobId = jobId;
    audit(ctx, 'delete_files');
    ctx.body = { job_id: jobId, deleted_at: deletedAt } satisfies z.infer<typeof deletionResponseSchema>;
  };
}
