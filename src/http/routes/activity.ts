import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import type { JobEngine } from '../../engine/job-engine.ts';
import { jobIdSchema, jobStatusSchema } from '../../job.ts';
import type { JobEnds, JobReads } from '../../store/job-store.ts';
import { isUnchanged } from './entity-tag.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { stepOf, stepSchema } from './transitions.ts';

/** Transitions kept in memory for observers. The history of a job is in the database. */
const KEPT_TRANSITIONS = 64;
const HOUR_MS = 3_600_000;
/** Milliseconds after which jobs can have left the last hour, although nothing was written. */
const ENDS_HOLD_MS = 30_000;

/**
 * The name of a state, or of the state of each region: an XState value, as deep as these machines nest. Recursive types
 * are more than client generators support.
 */
const stateValueSchema = z.union([z.string(), z.record(z.string(), z.string())]).meta({ id: 'StateValue' });
export type StateValue = Readonly<z.infer<typeof stateValueSchema>>;

const recentStepSchema = stepSchema.extend({ job_id: jobIdSchema });
type RecentStep = z.infer<typeof recentStepSchema>;

const spreadSchema = z.object({ p50: z.number(), p95: z.number() }).nullable();

export const activityResponseSchema = z.object({
  counts: z.record(jobStatusSchema, z.int().min(0)),
  last_hour: z
    .object({
      completed: z.int().min(0),
      failed: z.record(z.string(), z.int().min(0)).describe('Number of failed jobs by `error_code`'),
      wait_ms: spreadSchema.describe('From acceptance to the first start; null if no job was started'),
      run_ms: spreadSchema.describe('From the last start to the end; null if no job was started'),
    })
    .describe('The jobs that ended in the last hour'),
  transitions: z
    .array(recentStepSchema)
    .describe(`The last transitions of all jobs, at most ${KEPT_TRANSITIONS}, the oldest first`),
  workers: z.array(stateValueSchema).describe('Current state of each worker'),
});

export interface ActivityOptions {
  readonly engine: Pick<JobEngine, 'onTransition'>;
  readonly reads: Pick<JobReads, 'countByStatus' | 'changeToken' | 'endsSince' | 'latestTransitions'>;
  /** The current state of each worker. */
  readonly workers: () => readonly StateValue[];
}

/** GET /machines/activity */
export function activityRoute({ engine, reads, workers }: ActivityOptions): RouterMiddleware<RequestState> {
  let recent: readonly RecentStep[] = [];
  engine.onTransition(({ jobId }, step) => {
    recent = [...recent.slice(1 - KEPT_TRANSITIONS), { ...stepOf(step), job_id: jobId }];
  });
  /** The last transitions at the first request: those from before the start of the service. */
  let stored: readonly RecentStep[] | undefined;
  let read: { readonly token: string; readonly atMs: number; readonly ends: Promise<JobEnds> } | undefined;
  /** One query for all requests at the same time. */
  const lastHour = (token: string): Promise<JobEnds> => {
    const now = Date.now();
    if (read?.token === token && Math.abs(now - read.atMs) <= ENDS_HOLD_MS) return read.ends;
    const ends = reads.endsSince(new Date(now - HOUR_MS).toISOString());
    read = { token, atMs: now, ends };
    ends.catch(() => {
      if (read?.ends === ends) read = undefined;
    });
    return ends;
  };
  return async (ctx) => {
    stored ??= (await reads.latestTransitions(KEPT_TRANSITIONS)).map((step) => ({
      ...stepOf(step),
      job_id: step.jobId,
    }));
    const present = workers();
    const transitions = joined(stored, recent);
    const latest = transitions.at(-1);
    const token = reads.changeToken();
    const hour = await lastHour(token);
    const state = [`${latest?.job_id}/${latest?.seq}`, JSON.stringify(present), JSON.stringify(hour)];
    if (isUnchanged(ctx, token, ...state)) return;
    const { completed, failed, waitMs, runMs } = hour;
    ctx.body = {
      counts: await reads.countByStatus(),
      last_hour: { completed, failed: { ...failed }, wait_ms: waitMs, run_ms: runMs },
      transitions,
      workers: [...present],
    } satisfies z.infer<typeof activityResponseSchema>;
  };
}

/** Returns the last transitions of both, each once, oldest first. */
function joined(stored: readonly RecentStep[], recent: readonly RecentStep[]): RecentStep[] {
  const known = new Set(recent.map(({ job_id: jobId, seq }) => `${jobId}/${seq}`));
  const before = stored.filter(({ job_id: jobId, seq }) => !known.has(`${jobId}/${seq}`));
  return [...before, ...recent].slice(-KEPT_TRANSITIONS);
}
