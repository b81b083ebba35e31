import type { ParameterizedContext } from 'koa';
import { createHash, randomBytes } from 'node:crypto';
import type { Caller, RequestState } from './request-state.ts';

/** Milliseconds after which a page must sign in again: a working day. */
export const SESSION_MS = 12 * 3_600_000;
/** Sessions of one key. A new one replaces the oldest, so one key cannot end the sessions of another. */
const MAX_SESSIONS_PER_KEY = 50;

interface Session {
  readonly callerId: string;
  readonly endsMs: number;
}

/**
 * Sessions of pages that signed in with a key, so that a video element needs no key in its address. In memory: a
 * restart ends all. Only the hash of the cookie is kept.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @returns the value of the cookie */
  begin({ id }: Caller): string {
    const token = randomBytes(32).toString('base64url');
    const now = this.#now();
    for (const [hash, { endsMs }] of this.#sessions) if (endsMs <= now) this.#sessions.delete(hash);
    const own = [...this.#sessions].filter(([, { callerId }]) => callerId === id);
    const [oldest] = own.length >= MAX_SESSIONS_PER_KEY ? own : [];
    if (oldest !== undefined) this.#sessions.delete(oldest[0]);
    this.#sessions.set(hashOf(token), { callerId: id, endsMs: now + SESSION_MS });
    return token;
  }

  /** Returns the id of the session's caller; undefined for an unknown or expired session. */
  find(token: string | undefined): string | undefined {
    const session = token === undefined ? undefined : this.#sessions.get(hashOf(token));
    return session !== undefined && session.endsMs > this.#now() ? session.callerId : undefined;
  }

  end(token: string | undefined): void {
    if (token !== undefined) this.#sessions.delete(hashOf(token));
  }
}

/** Returns the value of the session cookie. */
export function sessionToken(ctx: ParameterizedContext<RequestState>): string | undefined {
  return ctx.cookies.get(cookieName(ctx));
}

/** Browsers enforce the prefix of the name: only over TLS, and with `__Host-` set by this host for all of its paths. */
export function cookieName({ state: { basePath, client } }: ParameterizedContext<RequestState>): string {
  const prefix = client.isSecure ? (basePath === '' ? '__Host-' : '__Secure-') : '';
  return `${prefix}reelstate_session`;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
