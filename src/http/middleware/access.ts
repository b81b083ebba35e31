import type { RouterMiddleware } from '@koa/router';
import type { Middleware } from 'koa';
import { createHash, timingSafeEqual } from 'node:crypto';
import { sendProblem } from '../problem.ts';
import { scopeSchema, type Scope } from '../schemas.ts';
import { audit } from './audit.ts';
import type { Caller, RequestState } from './request-state.ts';
import { sessionToken, type Sessions } from './sessions.ts';
import type { TokenBuckets } from './token-buckets.ts';

export interface ApiKey {
  /** Hexadecimal. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
}

/** The caller if no keys are set. */
const ANONYMOUS: Caller = { id: 'anonymous', scopes: scopeSchema.options };

export interface AccessOptions {
  /** Returns the current keys; undefined: no key is needed. */
  readonly keys: () => readonly ApiKey[] | undefined;
  readonly sessions: Pick<Sessions, 'find'>;
  /** Wrong keys that one address may send. */
  readonly wrongKeys: TokenBuckets;
}

/**
 * Identifies the caller by `X-API-Key`, `Authorization: Bearer` or a session cookie. Rejects nothing: routes decide
 * what needs a key, and a monitor with an old key must still read the health.
 */
export function authenticate({ keys, sessions, wrongKeys }: AccessOptions): Middleware<RequestState> {
  const known = new KnownCallers();
  return async (ctx, next) => {
    const callers = known.of(keys());
    const given = ctx.get('X-API-Key') || /^Bearer +(\S+)$/i.exec(ctx.get('Authorization'))?.[1];
    if (callers === undefined) {
      ctx.state.caller = ANONYMOUS;
    } else if (given === undefined) {
      // A session ends with its key and never has more scopes than the key has now.
      const id = sessions.find(sessionToken(ctx));
      ctx.state.caller = callers.find(({ caller }) => caller.id === id)?.caller;
    } else {
      const hash = createHash('sha256').update(given).digest();
      // Compares all keys in constant time, so that the duration reveals nothing about them.
      for (const { hash: right, caller } of callers) if (timingSafeEqual(right, hash)) ctx.state.caller = caller;
      ctx.state.showedKey = ctx.state.caller !== undefined;
      if (ctx.state.caller === undefined) {
        ctx.state.wrongKey = { waitS: wrongKeys.take(ctx.state.client.network) };
        if (ctx.state.wrongKey.waitS === 0) audit(ctx, 'wrong_key');
      }
    }
    await next();
  };
}

/** Accepts callers with the scope; without a scope, callers with any key. */
export function requires(scope?: Scope): RouterMiddleware<RequestState> {
  return async (ctx, next) => {
    const { caller, wrongKey } = ctx.state;
    if (wrongKey !== undefined && wrongKey.waitS > 0) {
      ctx.set('Retry-After', String(wrongKey.waitS));
      sendProblem(ctx, 'too_many_requests', 'Too many wrong keys came from this address');
    } else if (caller === undefined) {
      const detail =
        wrongKey === undefined ? 'A key is needed: X-API-Key, or Authorization: Bearer' : 'This key is not known';
      refuseUnknown(ctx, detail);
    } else if (scope !== undefined && !caller.scopes.includes(scope)) {
      ctx.set('WWW-Authenticate', `Bearer realm="reelstate", error="insufficient_scope", scope="${scope}"`);
      sendProblem(ctx, 'scope_missing', `This key does not have the scope ${scope}`);
    } else {
      await next();
    }
  };
}

export function refuseUnknown(ctx: Parameters<typeof sendProblem>[0], detail: string): void {
  ctx.set('WWW-Authenticate', 'Bearer realm="reelstate"');
  sendProblem(ctx, 'unauthenticated', detail);
}

interface KnownCaller {
  readonly hash: Buffer;
  readonly caller: Caller;
}

/** Callers of the current keys, created again when these change. */
class KnownCallers {
  #keys: readonly ApiKey[] | undefined;
  #callers: readonly KnownCaller[] | undefined;

  of(keys: readonly ApiKey[] | undefined): readonly KnownCaller[] | undefined {
    if (keys === this.#keys) return this.#callers;
    this.#keys = keys;
    this.#callers = keys?.map(({ sha256, scopes }) => ({
      hash: Buffer.from(sha256, 'hex'),
      caller: { id: sha256.slice(0, 12), scopes },
    }));
    return this.#callers;
  }
}
