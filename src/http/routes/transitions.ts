import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import { jobStatusSchema, type JobTransition } from '../../job.ts';
import type { JobReads } from '../../store/job-store.ts';
import { isUnchanged } from './entity-tag.ts';
import { jobItemOf, jobItemSchema } from './jobs.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { parseJobId, requireJob } from './status.ts';

export const stepSchema = z.object({
  seq: z.int().min(1).describe('From 1, without gaps'),
  attempt: z.int().min(0),
  from: jobStatusSchema.nullable().describe('Null for the first'),
  event: z.string(),
  to: jobStatusSchema,
  occurred_at: z.iso.datetime(),
});

export const transitionsResponseSchema = z.object({
  job: jobItemSchema,
  transitions: z.array(
    stepSchema.extend({ context: z.unknown().describe("The machine's context after the transition") }),
  ),
});

/** GET /video/jobs/{job_id}/transitions */
export function transitionsRoute(reads: Pick<JobReads, 'get' | 'transitionsOf'>): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const job = requireJob(jobId, await reads.get(jobId));
    if (isUnchanged(ctx, job.jobId, job.revision)) return;
    const transitions = await reads.transitionsOf(jobId);
    ctx.body = {
      job: jobItemOf(job),
      // Omits transitions committed after the job was read; the next response has them and another ETag.
      transitions: transitions
        .filter(({ seq }) => seq <= job.revision)
        .map((step) => ({ ...stepOf(step), context: JSON.parse(step.context) })),
    } satisfies z.infer<typeof transitionsResponseSchema>;
  };
}

export function stepOf({
  seq,
  attempt,
  fromState,
  event,
  toState,
  occurredAt,
}: JobTransition): z.infer<typeof stepSchema> {
  return { seq, attempt, from: fromState, event, to: toState, occurred_at: occurredAt };
}
