import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import type { JobEngine } from '../../engine/job-engine.ts';
import { jobIdSchema, jobStatusSchema } from '../../job.ts';
import type { JobReads } from '../../store/job-store.ts';
import { isUnchanged } from './entity-tag.ts';
import type { RequestState } from '../middleware/request-log.ts';
import { stepOf, stepSchema } from './transitions.ts';

/** Transitions kept in memory for those who look on; a job's own are in the database. */
const KEPT_TRANSITIONS = 64;

/**
 * A state's name, or for each region that of its state: what XState calls a state value, as far as our machines nest.
 * Types that name themselves are more than generators of clients can express.
 */
const stateValueSchema = z.union([z.string(), z.record(z.string(), z.string())]).meta({ id: 'StateValue' });
export type StateValue = Readonly<z.infer<typeof stateValueSchema>>;

const recentStepSchema = stepSchema.extend({ job_id: jobIdSchema });

export const activityResponseSchema = z.object({
  counts: z.record(jobStatusSchema, z.int().min(0)),
  transitions: z
    .array(recentStepSchema)
    .describe(
      `The last transitions of all jobs, at most ${KEPT_TRANSITIONS}, the oldest first; none from before the service's start`,
    ),
  workers: z.array(stateValueSchema).describe('Current state of each worker'),
});

export interface ActivityOptions {
  readonly engine: Pick<JobEngine, 'onTransition'>;
  readonly reads: Pick<JobReads, 'countByStatus' | 'changeToken'>;
  /** The present state of each worker that has one. */
  readonly workers: () => readonly StateValue[];
}

/** GET /machines/activity: where jobs and workers stand, and what has just happened. */
export function activityRoute({ engine, reads, workers }: ActivityOptions): RouterMiddleware<RequestState> {
  let recent: readonly z.infer<typeof recentStepSchema>[] = [];
  engine.onTransition(({ jobId }, step) => {
    recent = [...recent.slice(1 - KEPT_TRANSITIONS), { ...stepOf(step), job_id: jobId }];
  });
  return async (ctx) => {
    const present = workers();
    const transitions = recent;
    const latest = transitions.at(-1);
    if (isUnchanged(ctx, reads.changeToken(), `${latest?.job_id}/${latest?.seq}`, JSON.stringify(present))) return;
    const counts = await reads.countByStatus();
    ctx.body = { counts, transitions: [...transitions], workers: [...present] } satisfies z.infer<
      typeof activityResponseSchema
    >;
  };
}
