import type { Middleware } from 'koa';
import type { RequestState } from './request-log.ts';

/** What every answer says to browsers and caches; a route that knows better says so. */
const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
};

export function setSecurityHeaders(): Middleware<RequestState> {
  return async (ctx, next) => {
    ctx.set(HEADERS);
    await next();
  };
}
