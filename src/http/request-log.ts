import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Log } from '../log.ts';

/** What every request carries from its first middleware on. */
export interface RequestState {
  requestId: string;
  /** Names the request in each of its lines. */
  log: Log;
}

/** A client's own id is kept when it can be neither long nor strange in a log or a header. */
const SANE_ID = /^[\w.-]{1,64}$/;
const LOGGED_PATH_LENGTH = 200;

/** Names the request, tells the client that name, and logs one line when it has been answered. */
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
        duration_ms: Math.round(performance.now() - startedMs),
      },
      'request',
    );
  };
}
