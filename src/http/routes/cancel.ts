import type { RouterMiddleware } from '@koa/router';
import type { JobEngine } from '../../engine/job-engine.ts';
import type { RequestState } from '../middleware/request-log.ts';
import { parseJobId, statusOf } from './status.ts';

/** POST /video/cancel/{job_id}: the job is failed when this answers, and whatever worked on it is being ended. */
export function cancelRoute(engine: Pick<JobEngine, 'cancel'>): RouterMiddleware<RequestState> {
  return async (ctx) => {
    ctx.body = statusOf(await engine.cancel(parseJobId(ctx.params['job_id'])));
  };
}
