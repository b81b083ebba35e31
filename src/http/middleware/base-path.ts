import type { Middleware } from 'koa';
import type { RequestState } from './request-log.ts';

/**
 * Takes the base path off a request's path, for a proxy that passes it on. A path without it is served too: other
 * proxies take it off themselves, and checks from this machine need none.
 * @param basePath as in `/reelstate`; empty for the root
 */
export function stripBasePath(basePath: string): Middleware<RequestState> {
  return async (ctx, next) => {
    ctx.state.basePath = basePath;
    if (basePath !== '' && ctx.path === basePath && ctx.method === 'GET') {
      // The addresses in a page are relative: they need the slash.
      ctx.status = 308;
      ctx.set('Location', `${basePath}/`);
      return;
    }
    if (ctx.path.startsWith(`${basePath}/`)) ctx.path = ctx.path.slice(basePath.length);
    await next();
  };
}
