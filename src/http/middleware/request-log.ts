import { randomUUID } from 'node:crypto';
import type { RouterMiddleware } from '@koa/router';
import type { Middleware } from 'koa';
import type { Log } from '../../log.ts';
import type { RequestState } from './request-state.ts';

/** The client's own id is used if it is short and harmless in logs and headers. */
const SANE_ID = /^[\w.-]{1,64}$/;
const LOGGED_PATH_LENGTH = 200;

/** Assigns the request id, returns it to the client, and logs one line after the response. */
export function logRequests(log: Log): Middleware<RequestState> {
  return async (ctx, next) => {
    const startedMs = performance.now();
    const given = ctx.get('X-Request-Id');
    ctx.state.requestId = SANE_ID.test(given) ? given : randomUUID();
    ctx.state.log = log.child({ request_id: ctx.state.requestId });
    ctx.set('X-Request-Id', ctx.state.requestId);
    await next();
    ctx.state.log.info(
      {
        method: ctx.method,
        path: ctx.path.slice(0, LOGGED_PATH_LENGTH),
        status: ctx.status,
        ...(ctx.state.jobId === undefined ? {} : { job_id: ctx.state.jobId }),
        ...(ctx.state.caller === undefined ? {} : { caller: ctx.state.caller.id }),
        duration_ms: Math.round(performance.now() - startedMs),
      },
      'request',
    );
  };
}

/** Must be the router's first middleware: records the route patterns that match the path. The last one is the route. */
export function noteRoute(): RouterMiddleware<RequestState> {
  return async (ctx, next) => {
    try {
      await next();
    } finally {
      ctx.state.route = String(ctx._matchedRoute);
    }
  };
}
