import { randomUUID } from 'node:crypto';
import type { RouterMiddleware } from '@koa/router';
import type { Middleware } from 'koa';
import type { JobId } from '../../job.ts';
import type { Log } from '../../log.ts';
import type { Client } from './client.ts';
import type { Scope } from '../schemas.ts';

/** Who asks. */
export interface Caller {
  /** Names the key in the log and in the database, by the beginning of its hash; `anonymous` where there are no keys. */
  readonly id: string;
  readonly scopes: readonly Scope[];
}

/** What every request carries from its first middleware on. */
export interface RequestState {
  requestId: string;
  /** Names the request in each of its lines. */
  log: Log;
  /** Undefined until it is known who asks, and for one who showed no key. */
  caller?: Caller | undefined;
  client: Client;
  /** Path under which clients see the service; empty for the root. */
  basePath: string;
  /** True when the caller is known by a key in the headers, not by a session. */
  showedKey?: boolean;
  /** There when a key came that is not known; `waitS` above 0 when too many did. */
  wrongKey?: { readonly waitS: number };
  /** The pattern of the route that the path matched. */
  route?: string;
  /** The job that the request was found to be about. */
  jobId?: JobId;
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
        ...(ctx.state.jobId === undefined ? {} : { job_id: ctx.state.jobId }),
        ...(ctx.state.caller === undefined ? {} : { caller: ctx.state.caller.id }),
        duration_ms: Math.round(performance.now() - startedMs),
      },
      'request',
    );
  };
}

/** To be the router's first: notes which of its routes the path matched. Only the last of them is the route. */
export function noteRoute(): RouterMiddleware<RequestState> {
  return async (ctx, next) => {
    try {
      await next();
    } finally {
      ctx.state.route = String(ctx._matchedRoute);
    }
  };
}
