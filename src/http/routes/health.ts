import type { RouterMiddleware } from '@koa/router';
import { classify } from '../../engine/classify-error.ts';
import type { JobEngine } from '../../engine/job-engine.ts';
import type { WorkerRefusal } from '../../engine/worker.ts';
import type { JobReads } from '../../store/job-store.ts';
import type { StateValue } from './activity.ts';
import { sendProblem } from '../problem.ts';
import type { RequestState } from '../middleware/request-log.ts';
import { requireRoom, type RoomOptions } from '../uploads/room.ts';
import type { HealthResponse, ReadyResponse } from '../schemas.ts';

export interface HealthOptions {
  readonly version: string;
  /** What keeps the decoding processes apart, in words. */
  readonly isolation: readonly string[];
  /** Workers that died and are not replaced yet. */
  readonly deadWorkers: () => number;
  /** True once the database was found damaged: a restart repairs it. */
  readonly isDamaged: () => boolean;
  /** Why workers wait: the environment refused them. */
  readonly refusals: () => readonly WorkerRefusal[];
  /** The present state of each worker that has one. */
  readonly workers: () => readonly StateValue[];
}

/** GET /health: the process is alive, its event loop turns, its workers live and its database is sound; 503 when not: a restart helps. */
export function healthRoute({
  version,
  isolation,
  deadWorkers,
  isDamaged,
  refusals,
}: HealthOptions): RouterMiddleware<RequestState> {
  return (ctx) => {
    const dead = deadWorkers();
    if (dead > 0) {
      sendProblem(
        ctx,
        'worker_dead',
        `Workers that died: ${dead}. Each is replaced after a pause; the log says why it died`,
      );
      return;
    }
    if (isDamaged()) {
      sendProblem(
        ctx,
        'store_unavailable',
        'The job database is damaged. A restart sets it aside and restores the jobs',
      );
      return;
    }
    ctx.body = {
      status: 'ok',
      version,
      uptime_s: Math.floor(process.uptime()),
      isolation: [...isolation],
      refusals: refusals().map(({ step, code, message, refusals: times }) => ({ step, code, message, times })),
    } satisfies HealthResponse;
  };
}

export interface ReadyOptions extends HealthOptions, RoomOptions {
  readonly reads: Pick<JobReads, 'ping'>;
  readonly engine: Pick<JobEngine, 'requireQueueRoom'>;
  /** What is missing until jobs are worked on, a sentence each. */
  readonly waitingFor: () => readonly string[];
}

/** GET /ready: jobs can be accepted, read and worked on; 503 with the reasons when not. */
export function readyRoute(options: ReadyOptions): RouterMiddleware<RequestState> {
  const { reads, engine, refusals, workers, waitingFor } = options;
  return async (ctx) => {
    const reasons = [...waitingFor()];
    try {
      await reads.ping();
      engine.requireQueueRoom();
      await requireRoom(0, options);
    } catch (error) {
      reasons.unshift(classify(error).message);
    }
    const waiting = refusals();
    const [first] = waiting;
    if (first !== undefined && waiting.length === workers().length) {
      reasons.push(`Every worker waits until the environment lets it go on: ${first.message}`);
    }
    if (reasons.length > 0) sendProblem(ctx, 'not_ready', reasons.join('; '));
    else ctx.body = { status: 'ready' } satisfies ReadyResponse;
  };
}
