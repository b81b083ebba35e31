import type { RouterMiddleware } from '@koa/router';
import { createHash, randomBytes } from 'node:crypto';
import { ServiceError } from '../../errors.ts';
import type { Caller, RequestState } from '../middleware/request-log.ts';
import type { SessionResponse } from '../schemas.ts';

export const SESSION_COOKIE = 'reelstate_session';
/** Milliseconds after which a page must sign in again: a working day. */
const SESSION_MS = 12 * 3_600_000;
/** Sessions kept; the oldest makes room. */
const MAX_SESSIONS = 1_000;

interface Session {
  readonly caller: Caller;
  readonly endsMs: number;
}

/**
 * Pages that signed in with a key, so that a video element needs no key in its address. In memory: a restart signs all
 * out. What is kept is a hash of the cookie.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @returns the cookie's value */
  begin(caller: Caller): string {
    const token = randomBytes(32).toString('base64url');
    this.#sessions.set(hashOf(token), { caller, endsMs: this.#now() + SESSION_MS });
    const [oldest] = this.#sessions.size > MAX_SESSIONS ? this.#sessions.keys() : [];
    if (oldest !== undefined) this.#sessions.delete(oldest);
    return token;
  }

  find(token: string | undefined): Caller | undefined {
    const session = token === undefined ? undefined : this.#sessions.get(hashOf(token));
    return session !== undefined && session.endsMs > this.#now() ? session.caller : undefined;
  }

  end(token: string | undefined): void {
    if (token !== undefined) this.#sessions.delete(hashOf(token));
  }
}

/** GET /session: what the caller may; never refused, so that a page can ask whether it must sign in. */
export function showSession(): RouterMiddleware<RequestState> {
  return (ctx) => {
    ctx.body = sessionOf(ctx.state.caller, ctx.cookies.get(SESSION_COOKIE) !== undefined);
  };
}

/** POST /session, with a key in its headers: the same key's scopes, by a cookie that no script can read. */
export function beginSession(sessions: Sessions, basePath: string): RouterMiddleware<RequestState> {
  return (ctx) => {
    const { caller } = ctx.state;
    if (caller === undefined) throw new ServiceError('internal', 'a session without a caller');
    sessions.end(ctx.cookies.get(SESSION_COOKIE));
    ctx.cookies.set(SESSION_COOKIE, sessions.begin(caller), {
      ...COOKIE,
      path: basePath || '/',
      secure: ctx.secure,
      maxAge: SESSION_MS,
    });
    ctx.body = sessionOf(caller, true);
  };
}

/** DELETE /session */
export function endSession(sessions: Sessions, basePath: string): RouterMiddleware<RequestState> {
  return (ctx) => {
    sessions.end(ctx.cookies.get(SESSION_COOKIE));
    ctx.cookies.set(SESSION_COOKIE, null, { ...COOKIE, path: basePath || '/', secure: ctx.secure });
    ctx.status = 204;
  };
}

const COOKIE = { httpOnly: true, sameSite: 'strict', signed: false } as const;

function sessionOf(caller: Caller | undefined, hasCookie: boolean): SessionResponse {
  return {
    signed_in: caller !== undefined && hasCookie,
    key_needed: caller === undefined,
    scopes: [...(caller?.scopes ?? [])],
  };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
