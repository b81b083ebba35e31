import { createHash } from 'node:crypto';
import type { ParameterizedContext } from 'koa';

/**
 * Names the state that an answer shows; true when the client has that answer already (`If-None-Match`) and 304 was
 * answered. To be asked before the answer is made, so that what did not change costs nothing.
 */
export function isUnchanged(ctx: ParameterizedContext, ...state: readonly (string | number)[]): boolean {
  const digest = createHash('sha1').update(state.join('\0')).digest('base64url');
  const tag = `"${digest}"`;
  ctx.set('ETag', tag);
  ctx.set('Cache-Control', 'private, no-cache');
  // Koa's `fresh` takes the `Cache-Control: no-cache` that browsers send with a page's own If-None-Match for a reload.
  const known = ctx.get('If-None-Match').split(',');
  if (!known.some((given) => given.trim().replace(/^W\//, '') === tag)) return false;
  ctx.status = 304;
  return true;
}
