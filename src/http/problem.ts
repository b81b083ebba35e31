import type { Middleware, ParameterizedContext } from 'koa';
import { classify } from '../engine/classify-error.ts';
import { ServiceError, type ErrorCode } from '../errors.ts';
import { lingering } from './linger.ts';
import type { RequestState } from './middleware/request-log.ts';
import type { Problem } from './schemas.ts';

/** What HTTP alone can refuse, beside what the service does. */
type HttpCode =
  | 'route_not_found'
  | 'method_not_allowed'
  | 'unauthenticated'
  | 'scope_missing'
  | 'foreign_origin'
  | 'too_many_requests'
  | 'not_ready'
  | 'worker_dead'
  | 'malformed_request'
  | 'expectation_failed'
  | 'range_not_satisfiable'
  | 'headers_too_large'
  | 'request_timeout';
export type ProblemCode = ErrorCode | HttpCode;

interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfterS?: number;
}

const INTERNAL: ProblemType = { status: 500, title: 'Internal error' };

/** The only table of HTTP numbers. Failures of a job are told by its status with 200, so here they are errors of ours. */
export const PROBLEM_TYPES: Readonly<Record<ProblemCode, ProblemType>> = {
  invalid_mp4: { status: 400, title: 'Not an MP4 video' },
  malformed_request: { status: 400, title: 'Malformed request' },
  unauthenticated: { status: 401, title: 'No valid key' },
  scope_missing: { status: 403, title: 'The key does not allow this' },
  foreign_origin: { status: 403, title: 'Asked by a page of another origin' },
  unknown_pipeline: { status: 404, title: 'Unknown pipeline' },
  machine_not_found: { status: 404, title: 'Unknown machine' },
  job_not_found: { status: 404, title: 'Unknown job' },
  video_missing: { status: 404, title: 'Video no longer stored' },
  job_not_completed: { status: 404, title: 'Job not completed' },
  route_not_found: { status: 404, title: 'Nothing here' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  request_timeout: { status: 408, title: 'Request timed out' },
  upload_too_slow: { status: 408, title: 'Upload too slow' },
  job_conflict: { status: 409, title: 'Not possible in the present state' },
  results_expired: { status: 410, title: 'Results deleted' },
  upload_too_large: { status: 413, title: 'Upload too large' },
  range_not_satisfiable: { status: 416, title: 'Range beyond the end' },
  expectation_failed: { status: 417, title: 'Expectation not met' },
  invalid_request: { status: 422, title: 'Invalid request' },
  missing_file: { status: 422, title: 'No file' },
  idempotency_mismatch: { status: 422, title: 'Idempotency-Key used for another submission' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'Headers too large' },
  too_many_uploads: { status: 503, title: 'Too many uploads at once', retryAfterS: 5 },
  queue_full: { status: 503, title: 'Too many jobs are waiting', retryAfterS: 30 },
  store_unavailable: { status: 503, title: 'Database not available', retryAfterS: 5 },
  storage_unavailable: { status: 503, title: 'Storage not available', retryAfterS: 5 },
  worker_dead: { status: 503, title: 'A worker is dead' },
  not_ready: { status: 503, title: 'Not ready', retryAfterS: 1 },
  storage_full: { status: 507, title: 'No room on the disk' },
  job_unreadable: INTERNAL,
  child_unavailable: INTERNAL,
  path_refused: INTERNAL,
  file_missing: INTERNAL,
  schema_too_new: INTERNAL,
  invalid_config: INTERNAL,
  invalid_pipeline: INTERNAL,
  invalid_model: INTERNAL,
  invalid_query: INTERNAL,
  invalid_video: INTERNAL,
  too_large: INTERNAL,
  decoder_crashed: INTERNAL,
  memory_limit: INTERNAL,
  stalled: INTERNAL,
  timeout: INTERNAL,
  cancelled: INTERNAL,
  interrupted: INTERNAL,
  input_missing: INTERNAL,
  internal: INTERNAL,
};

/** Ends every request that was refused, or that nothing answered, with a problem document. */
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

/** Returns what a client is told about an error; undefined for a defect of the service. */
function refusalOf(error: unknown): Pick<ServiceError, 'code' | 'message' | 'hint'> | undefined {
  if (error instanceof ServiceError) return PROBLEM_TYPES[error.code] === INTERNAL ? undefined : error;
  // The machine refuses: descriptors, access, a disk that fails.
  const { kind, code, message } = classify(error);
  return kind === 'environment' ? { code, message, hint: undefined } : undefined;
}

/** Answers with a problem document; when the client is still sending, only after it has been heard. */
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

/** A whole HTTP/1.1 response, for a client whose request could not be parsed. */
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
