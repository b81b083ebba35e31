import type { RouterMiddleware } from '@koa/router';
import type { ParameterizedContext } from 'koa';
import { refuseUnknown } from '../middleware/access.ts';
import { audit } from '../middleware/audit.ts';
import type { Caller, RequestState } from '../middleware/request-state.ts';
import { cookieName, SESSION_MS, sessionToken, type Sessions } from '../middleware/sessions.ts';
import type { SessionResponse } from '../schemas.ts';

/** GET /session. Needs no key, so that a page can find out whether it must sign in. */
export function showSession(): RouterMiddleware<RequestState> {
  return (ctx) => {
    ctx.body = sessionOf(ctx.state.caller, sessionToken(ctx) !== undefined);
  };
}

/** POST /session: exchanges the key in the headers for a cookie. A session cannot start another one. */
export function beginSession(sessions: Sessions): RouterMiddleware<RequestState> {
  return (ctx) => {
    const { caller, showedKey = false } = ctx.state;
    if (caller === undefined || (!showedKey && caller.id !== 'anonymous')) {
      refuseUnknown(ctx, 'A session begins with a key: X-API-Key, or Authorization: Bearer');
      return;
    }
    sessions.end(sessionToken(ctx));
    setCookie(ctx, sessions.begin(caller));
    audit(ctx, 'sign_in');
    ctx.body = sessionOf(caller, true);
  };
}

/** DELETE /session */
export function endSession(sessions: Sessions): RouterMiddleware<RequestState> {
  return (ctx) => {
    if (sessions.find(sessionToken(ctx)) !== undefined) audit(ctx, 'sign_out');
    sessions.end(sessionToken(ctx));
    setCookie(ctx, null);
    ctx.status = 204;
  };
}

function setCookie(ctx: ParameterizedContext<RequestState>, value: string | null): void {
  const { basePath, client } = ctx.state;
  ctx.cookies.set(cookieName(ctx), value, {
    httpOnly: true,
    sameSite: 'strict',
    signed: false,
    path: basePath === '' ? '/' : basePath,
    secure: client.isSecure,
    ...(value === null ? {} : { maxAge: SESSION_MS }),
  });
}

function sessionOf(caller: Caller | undefined, hasCookie: boolean): SessionResponse {
  return {
    signed_in: caller !== undefined && hasCookie,
    key_needed: caller === undefined,
    scopes: [...(caller?.scopes ?? [])],
  };
}
