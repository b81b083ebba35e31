import type { Middleware } from 'koa';
import type { RequestState } from './request-state.ts';

/** Default security and cache headers of every response. Routes may replace them. */
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
