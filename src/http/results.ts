import type { RouterMiddleware } from '@koa/router';
import type { JobEngine } from '../engine/job-engine.ts';
import { ServiceError } from '../errors.ts';
import type { RequestState } from './request-log.ts';
import { openStoredFile } from './stored-file.ts';
import { parseJobId } from './status.ts';

/** GET /video/results/{job_id}: the stored file, read as fast as the client takes it, never held in memory. */
export function resultsRoute(engine: Pick<JobEngine, 'openResults'>): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const { path } = await engine.openResults(jobId);
    const { handle, size } = await openStoredFile(
      path,
      () => new ServiceError('results_expired', 'The results of this job have just been deleted'),
    );
    // The file is `{"results": [...]}`: with its brace replaced by this, it is the answer.
    const beginning = Buffer.from(`{"job_id":"${jobId}",`);
    const rest = handle.createReadStream({ start: 1 });
    rest.unshift(beginning);
    ctx.set('Content-Disposition', `attachment; filename="${jobId}_results.json"`);
    ctx.type = 'application/json';
    ctx.body = rest;
    ctx.length = beginning.length + size - 1;
  };
}
