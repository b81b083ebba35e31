import { createHash } from 'node:crypto';
import type { ParameterizedContext } from 'koa';

/**
 * Names the state that an answer shows; true when the client has that answer already (`If-None-Match`) and 304 was
 * answered. To be asked before the answer is made, so that what did not change costs nothing.
 */
export function isUnchanged(ctx: ParameterizedContext, ...state: readonly (string | number)[]): boolean {
  const digest = createHash('sha1').update(state.join('\0')).digest('base64url');
  ctx.status = 200;
  ctx.set('ETag', `"${digest}"`);
  ctx.set('Cache-Control', 'no-cache');
  if (!ctx.fresh) return false;
  ctx.status = 304;
  return true;
}
