import type { RouterMiddleware } from '@koa/router';
import type { JobEngine } from '../engine/job-engine.ts';
import { messageOf } from '../errors.ts';
import { answer } from './problem.ts';
import type { RequestState } from './request-log.ts';
import type { HealthResponse, ReadyResponse } from './schemas.ts';

export interface HealthOptions {
  readonly version: string;
  /** What keeps the decoding processes apart, in words. */
  readonly isolation: readonly string[];
  /** Workers that take no job any more. */
  readonly deadWorkers: () => number;
}

/** GET /health: the process is alive, its event loop turns and its workers live; 503 when one does not. */
export function healthRoute({ version, isolation, deadWorkers }: HealthOptions): RouterMiddleware<RequestState> {
  return (ctx) => {
    const dead = deadWorkers();
    if (dead > 0) {
      answer(ctx, 'worker_dead', `Workers that take no job any more: ${dead}. A restart takes up what they left`);
      return;
    }
    ctx.body = {
      status: 'ok',
      version,
      uptime_s: Math.floor(process.uptime()),
      isolation: [...isolation],
    } satisfies HealthResponse;
  };
}

/** GET /ready: jobs can be accepted and read; 503 with the reason when not. */
export function readyRoute(engine: Pick<JobEngine, 'ready'>): RouterMiddleware<RequestState> {
  return async (ctx) => {
    try {
      await engine.ready();
      ctx.body = { status: 'ready' } satisfies ReadyResponse;
    } catch (error) {
      answer(ctx, 'not_ready', messageOf(error));
    }
  };
}
