import type { Middleware, ParameterizedContext } from 'koa';
import { classify } from '../engine/classify-error.ts';
import { ServiceError } from '../errors.ts';
import { lingering } from './linger.ts';
import { INTERNAL, PROBLEM_TYPES, type HttpCode, type ProblemCode } from './problem-types.ts';
import type { RequestState } from './middleware/request-state.ts';
import type { Problem } from './schemas.ts';

/** Responds with a problem document if a request was rejected or not handled. */
export function answerProblems(): Middleware<RequestState> {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status < 400 || (ctx.body !== undefined && ctx.body !== null)) return;
      if (ctx.status === 405) {
        sendProblem(ctx, 'method_not_allowed', `${ctx.method} is not possible here; ${ctx.response.get('Allow')} is`);
      } else {
        sendProblem(ctx, 'route_not_found', 'There is nothing at this path');
      }
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined || PROBLEM_TYPES[refusal.code].status >= 500)
        ctx.state.log.error({ err: error }, 'request failed');
      if (refusal !== undefined) sendProblem(ctx, refusal.code, refusal.message, refusal.hint);
      else sendProblem(ctx, 'internal', 'The service failed; its log has the reason under this request_id');
    }
  };
}

/** Returns the problem for the client; undefined for a defect of the service. */
function refusalOf(error: unknown): Pick<ServiceError, 'code' | 'message' | 'hint'> | undefined {
  if (error instanceof ServiceError) return PROBLEM_TYPES[error.code] === INTERNAL ? undefined : error;
  // The environment refuses: descriptors, access, a disk error.
  const { kind, code, message } = classify(error);
  return kind === 'environment' ? { code, message, hint: undefined } : undefined;
}

/** Responds with a problem document. If the client is still sending, waits for its end. */
export function sendProblem(
  ctx: ParameterizedContext<RequestState>,
  code: ProblemCode,
  detail: string,
  hint?: string,
): void {
  const { status, retryAfterS } = PROBLEM_TYPES[code];
  const text = problemText(code, detail, ctx.state.requestId, hint);
  ctx.status = status;
  ctx.set('Content-Type', 'application/problem+json');
  if (retryAfterS !== undefined) ctx.set('Retry-After', String(retryAfterS));
  ctx.body = ctx.req.complete ? text : lingering(text, ctx.req);
  ctx.length = Buffer.byteLength(text);
}

/** Returns a complete HTTP/1.1 response for a request that could not be parsed. */
export function rawProblem(code: HttpCode, detail: string, requestId: string): string {
  const { status, title } = PROBLEM_TYPES[code];
  const text = problemText(code, detail, requestId);
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    `X-Request-Id: ${requestId}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}

function problemText(code: ProblemCode, detail: string, requestId: string, hint?: string): string {
  const { status, title } = PROBLEM_TYPES[code];
  const problem: Problem = {
    type: `urn:reelstate:problem:${code}`,
    title,
    status,
    detail,
    code,
    request_id: requestId,
    ...(hint === undefined ? {} : { hint }),
  };
  return JSON.stringify(problem);
}
