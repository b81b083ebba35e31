import type { Middleware } from 'koa';
import type { RequestState } from './request-state.ts';

/**
 * Removes the base path from the path of a request, for proxies that pass it on. A path without it is accepted too, for
 * other proxies and for local checks.
 * @param basePath such as `/reelstate`; empty for the root
 */
export function stripBasePath(basePath: string): Middleware<RequestState> {
  return async (ctx, next) => {
    ctx.state.basePath = basePath;
    if (basePath !== '' && ctx.path === basePath && ctx.method === 'GET') {
      // Addresses in pages are relative, so the slash is needed.
      ctx.status = 308;
      ctx.set('Location', `${basePath}/`);
      return;
    }
    if (ctx.path.startsWith(`${basePath}/`)) ctx.path = ctx.path.slice(basePath.length);
    await next();
  };
}
