import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import { jobIdSchema, jobOptionsSchema, jobStatusSchema, type Job } from '../../job.ts';
import type { JobReads } from '../../store/job-store.ts';
import { isUnchanged } from './entity-tag.ts';
import { parseParameters, wholeNumber } from '../parameters.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { statusResponseSchema } from '../schemas.ts';
import { statusOf } from './status.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

export const jobsParametersSchema = z.object({
  status: z
    .enum(jobStatusSchema.options, `must be one of ${jobStatusSchema.options.join(', ')}`)
    .optional()
    .describe('Only jobs in this state'),
  pipeline_id: z.string().min(1).optional().describe('Only jobs of this pipeline'),
  tag: z.string().optional().describe('Only jobs with this tag'),
  file_name: z.string().optional().describe('Only jobs whose file name contains this text, ignoring case'),
  limit: wholeNumber(1, MAX_LIMIT).default(DEFAULT_LIMIT).describe('Maximum number of jobs on a page'),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'is not a next_cursor')
    .optional()
    .describe('`next_cursor` of the previous page'),
});

export const jobItemSchema = statusResponseSchema.extend({
  job_id: jobIdSchema,
  pipeline_id: z.string(),
  options: jobOptionsSchema,
  attempt: z.int().min(0).describe('Number of the current or last attempt; 0 before the first'),
  file_name: z.string().nullable().describe('Name of the uploaded file; null if none was given or kept'),
  tag: z.string().nullable().describe('Label given by the client; null if none'),
  deleted_at: z.iso.datetime().nullable().describe('When its video and results were deleted; null while they are kept'),
});
export type JobItem = z.infer<typeof jobItemSchema>;

export const jobsResponseSchema = z.object({
  jobs: z.array(jobItemSchema).describe('Newest first'),
  counts: z.record(jobStatusSchema, z.int().min(0)).describe('Number of all jobs in each state, ignoring the filters'),
  next_cursor: z.string().nullable().describe('Cursor of the next, older page; null on the last'),
});

/** GET /video/jobs */
export function jobsRoute(
  reads: Pick<JobReads, 'newest' | 'countByStatus' | 'changeToken'>,
): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const parameters = parseParameters(jobsParametersSchema, [ctx.query]);
    const { status, pipeline_id: pipelineId, tag, file_name: fileName, limit, cursor } = parameters;
    if (isUnchanged(ctx, reads.changeToken())) return;
    const filter = {
      ...(status === undefined ? {} : { status }),
      ...(pipelineId === undefined ? {} : { pipelineId }),
      ...(tag === undefined ? {} : { tag }),
      ...(fileName === undefined ? {} : { fileName }),
      ...(cursor === undefined ? {} : { beforeSeq: Number(cursor) }),
    };
    // Read one more than requested to learn whether there is a next page.
    const [found, counts] = await Promise.all([reads.newest(filter, limit + 1), reads.countByStatus()]);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    ctx.body = {
      jobs: page.map((job) => jobItemOf(job)),
      counts,
      next_cursor: found.length > limit && last !== undefined ? String(last.acceptedSeq) : null,
    } satisfies z.infer<typeof jobsResponseSchema>;
  };
}

/** Returns a job as the list shows it. */
export function jobItemOf(job: Job): JobItem {
  return {
    ...statusOf(job),
    pipeline_id: job.pipelineId,
    options: job.options,
    attempt: job.attempt,
    file_name: job.fileName,
    tag: job.tag,
    deleted_at: job.expiredAt,
  };
}
