import type { RouterMiddleware } from '@koa/router';
import type { Middleware } from 'koa';
import { createHash, timingSafeEqual } from 'node:crypto';
import { sendProblem } from '../problem.ts';
import type { Caller, RequestState } from './request-log.ts';
import { scopeSchema, type Scope } from '../schemas.ts';
import { SESSION_COOKIE, type Sessions } from '../routes/session.ts';
import type { TokenBuckets } from './token-buckets.ts';

export interface ApiKey {
  /** Hex. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
}

/** Where there are no keys, everyone may everything. */
const ANONYMOUS: Caller = { id: 'anonymous', scopes: scopeSchema.options };

export interface AccessOptions {
  /** Undefined: nobody is asked for a key. */
  readonly keys: readonly ApiKey[] | undefined;
  readonly sessions: Pick<Sessions, 'find'>;
  /** Wrong keys that one address may try. */
  readonly wrongKeys: TokenBuckets;
}

/**
 * Finds out who asks: by `X-API-Key`, by `Authorization: Bearer`, or by the cookie of a session. Refuses a wrong key;
 * what may be asked without one is decided by the routes.
 */
export function authenticate({ keys, sessions, wrongKeys }: AccessOptions): Middleware<RequestState> {
  const callers = keys?.map(({ sha256, scopes }) => ({
    hash: Buffer.from(sha256, 'hex'),
    caller: { id: sha256.slice(0, 12), scopes },
  }));
  return async (ctx, next) => {
    const given = ctx.get('X-API-Key') || /^Bearer +(\S+)$/i.exec(ctx.get('Authorization'))?.[1];
    if (callers === undefined) {
      ctx.state.caller = ANONYMOUS;
    } else if (given === undefined) {
      ctx.state.caller = sessions.find(ctx.cookies.get(SESSION_COOKIE));
    } else {
      const hash = createHash('sha256').update(given).digest();
      // All are compared, each in constant time: how long it takes tells nothing about any of them.
      for (const known of callers) if (timingSafeEqual(known.hash, hash)) ctx.state.caller = known.caller;
      if (ctx.state.caller === undefined) {
        const waitS = wrongKeys.take(ctx.ip);
        if (waitS > 0) {
          ctx.set('Retry-After', String(waitS));
          sendProblem(ctx, 'too_many_requests', 'Too many wrong keys came from this address');
        } else {
          refuseUnknown(ctx, 'This key is not known');
        }
        return;
      }
    }
    await next();
  };
}

/** Lets pass who has the scope; without one, whoever showed a key. */
export function requires(scope?: Scope): RouterMiddleware<RequestState> {
  return async (ctx, next) => {
    const { caller } = ctx.state;
    if (caller === undefined) {
      refuseUnknown(ctx, 'A key is needed: X-API-Key, or Authorization: Bearer');
    } else if (scope !== undefined && !caller.scopes.includes(scope)) {
      ctx.set('WWW-Authenticate', `Bearer realm="reelstate", error="insufficient_scope", scope="${scope}"`);
      sendProblem(ctx, 'scope_missing', `This key does not have the scope ${scope}`);
    } else {
      await next();
    }
  };
}

function refuseUnknown(ctx: Parameters<typeof sendProblem>[0], detail: string): void {
  ctx.set('WWW-Authenticate', 'Bearer realm="reelstate"');
  sendProblem(ctx, 'unauthenticated', detail);
}
