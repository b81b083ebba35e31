import { createHash } from 'node:crypto';
import type { ParameterizedContext } from 'koa';

/**
 * Sets the ETag of the state that a response shows. Returns true if the client has that response (`If-None-Match`) and
 * 304 was sent. Call it before the response is computed, so that an unchanged one costs nothing.
 */
export function isUnchanged(ctx: ParameterizedContext, ...state: readonly (string | number)[]): boolean {
  const digest = createHash('sha1').update(state.join('\0')).digest('base64url');
  const tag = `"${digest}"`;
  ctx.set('ETag', tag);
  ctx.set('Cache-Control', 'private, no-cache');
  // Koa's `fresh` ignores If-None-Match with `Cache-Control: no-cache`, which browsers send when they reload a page.
  const known = ctx.get('If-None-Match').split(',');
  if (!known.some((given) => given.trim().replace(/^W\//, '') === tag)) return false;
  ctx.status = 304;
  return true;
}
