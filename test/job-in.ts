import { ServiceError } from '../src/errors.ts';
import type { Job, JobId } from '../src/job.ts';
import type { JobReads } from '../src/store/job-store.ts';

/** Returns a stored job. Rejects with `job_not_found`. */
export async function jobIn(reads: Pick<JobReads, 'get'>, jobId: JobId): Promise<Job> {
  const job = await reads.get(jobId);
  if (job === undefined) throw new ServiceError('job_not_found', `There is no job ${jobId}`);
  return job;
}
