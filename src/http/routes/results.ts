import type { RouterMiddleware } from '@koa/router';
import { openResults } from '../../engine/job-files.ts';
import { ServiceError } from '../../errors.ts';
import type { StorageService } from '../../storage/storage-service.ts';
import type { JobReads } from '../../store/job-store.ts';
import type { RequestState } from '../middleware/request-log.ts';
import { openStoredFile } from './stored-file.ts';
import { parseJobId, requireJob } from './status.ts';

/** GET /video/results/{job_id}: the stored file, read as fast as the client takes it, never held in memory. */
export function resultsRoute(
  reads: Pick<JobReads, 'get'>,
  storage: Pick<StorageService, 'loadFile'>,
): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const path = await openResults(storage, requireJob(jobId, await reads.get(jobId)));
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
