import { randomUUID } from 'node:crypto';
import type { RouterMiddleware } from '@koa/router';
import type { Middleware } from 'koa';
import type { JobId } from '../../job.ts';
import type { Log } from '../../log.ts';
import type { Client } from './client.ts';
import type { Scope } from '../schemas.ts';

/** The authenticated caller. */
export interface Caller {
  /** Identifies the key in the log and in the database by the start of its hash; `anonymous` if no keys are set. */
  readonly id: string;
  readonly scopes: readonly Scope[];
}

/** State of every request from its first middleware on. */
export interface RequestState {
  requestId: string;
  /** Id of the request in its log lines. */
  log: Log;
  /** Undefined before authentication and for a caller without a key. */
  caller?: Caller | undefined;
  client: Client;
  /** Path of the service as clients see it; empty for the root. */
  basePath: string;
  /** True if the caller sent a key in the headers, not a session cookie. */
  showedKey?: boolean;
  /** Set if the key is unknown; `waitS` above 0 after too many unknown keys. */
  wrongKey?: { readonly waitS: number };
  /** The route pattern of the path. */
  route?: string;
  /** The job that the request concerns. */
  jobId?: JobId;
}

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
