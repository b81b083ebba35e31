import type { Middleware } from 'koa';
import { sendProblem } from '../problem.ts';
import type { RequestState } from './request-state.ts';
import type { TokenBuckets } from './token-buckets.ts';

/** Limits the requests of a key, or of an address without one, by a token bucket. */
export function limitRate(buckets: TokenBuckets): Middleware<RequestState> {
  return async (ctx, next) => {
    const { caller, client } = ctx.state;
    // Without keys all callers are one, so their addresses distinguish them.
    const waitS = buckets.take(caller === undefined || caller.id === 'anonymous' ? client.network : `key ${caller.id}`);
    if (waitS === 0) {
      await next();
      return;
    }
    ctx.set('Retry-After', String(waitS));
    sendProblem(ctx, 'too_many_requests', `More requests than are allowed; the next one in ${waitS} s`);
  };
}
