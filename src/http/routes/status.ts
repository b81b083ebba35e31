import type { RouterMiddleware } from '@koa/router';
import { ServiceError } from '../../errors.ts';
import { jobIdSchema, type JobId, type JobSummary, type JobStatus } from '../../job.ts';
import type { JobReads } from '../../store/job-store.ts';
import type { RequestState } from '../middleware/request-state.ts';
import type { StatusResponse } from '../schemas.ts';

const PROGRESS: Readonly<Record<JobStatus, StatusResponse['progress']>> = {
  pending: 0,
  running: 0.5,
  completed: 1,
  failed: 1,
};

/** GET /video/status/{job_id} */
export function statusRoute(reads: Pick<JobReads, 'summary'>): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    ctx.body = statusOf(requireJob(jobId, await reads.summary(jobId)));
  };
}

/** Returns the status of a job. */
export function statusOf(job: JobSummary): StatusResponse {
  return {
    job_id: job.jobId,
    status: job.status,
    progress: PROGRESS[job.status],
    created_at: job.createdAt,
    updated_at: job.updatedAt,
    ...(job.errorMessage === null ? {} : { error_message: job.errorMessage }),
    ...(job.errorCode === null ? {} : { error_code: job.errorCode }),
  };
}

/** An id that is not a UUID is unknown. */
export function parseJobId(text: string | undefined): JobId {
  const parsed = jobIdSchema.safeParse(text?.toLowerCase());
  if (!parsed.success) throw new ServiceError('job_not_found', 'There is no such job: its id is not a UUID');
  return parsed.data;
}

/** Returns the job. Throws `job_not_found` if there is none. */
export function requireJob<T>(jobId: JobId, found: T | undefined): T {
  if (found === undefined) throw new ServiceError('job_not_found', `There is no job ${jobId}`);
  return found;
}
