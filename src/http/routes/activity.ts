import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import type { JobEngine } from '../../engine/job-engine.ts';
import { jobIdSchema, jobStatusSchema } from '../../job.ts';
import type { JobReads } from '../../store/job-store.ts';
import { isUnchanged } from './entity-tag.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { stepOf, stepSchema } from './transitions.ts';

/** Transitions kept in memory for observers. The history of a job is in the database. */
const KEPT_TRANSITIONS = 64;

/**
 * The name of a state, or of the state of each region: an XState value, as deep as these machines nest. Recursive types
 * are more than client generators support.
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
  /** The current state of each worker. */
  readonly workers: () => readonly StateValue[];
}

/** GET /machines/activity */
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
