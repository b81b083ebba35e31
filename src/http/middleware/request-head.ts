import type { Middleware } from 'koa';
import { sendProblem } from '../problem.ts';
import type { RequestState } from './request-state.ts';

/** Rejects invalid request heads (RFC 9112, 3.2; RFC 9110, 10.1.1), which Node.js does not check. */
export function checkHead(): Middleware<RequestState> {
  return async (ctx, next) => {
    const hosts = ctx.req.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
    const isModern = ctx.req.httpVersion === '1.1';
    const expected = ctx.get('Expect').toLowerCase();
    if (hosts > 1 || (hosts === 0 && isModern)) {
      sendProblem(
        ctx,
        'malformed_request',
        hosts === 0 ? 'The header Host is missing' : 'There is more than one header Host',
      );
    } else if (isModern && expected !== '' && expected !== '100-continue') {
      sendProblem(ctx, 'expectation_failed', 'The only thing that can be expected is 100-continue');
    } else {
      await next();
    }
  };
}
