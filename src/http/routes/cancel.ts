import type { RouterMiddleware } from '@koa/router';
import type { JobEngine } from '../../engine/job-engine.ts';
import { audit } from '../middleware/audit.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { parseJobId, statusOf } from './status.ts';

/** POST /video/cancel/{job_id}. The job has failed when this responds; its analysis is being aborted. */
export function cancelRoute(engine: Pick<JobEngine, 'cancel'>): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const job = await engine.cancel(parseJobId(ctx.params['job_id']));
    ctx.state.jobId = job.jobId;
    audit(ctx, 'cancel');
    ctx.body = statusOf(job);
  };
}
