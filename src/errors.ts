/** Why a job failed. A closed set, documented in docs/ENDPOINTS.md, stable for programs. */
export const FAILURE_CODES = [
  'invalid_video',
  'too_large',
  'decoder_crashed',
  'memory_limit',
  'stalled',
  'timeout',
  'cancelled',
  'interrupted',
  'input_missing',
  'storage_full',
  'storage_unavailable',
  'child_unavailable',
  'internal',
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

/** Why a request or call was rejected. src/http/problem-types.ts has the HTTP status of each. */
export type RefusalCode =
  | 'invalid_mp4'
  | 'invalid_request'
  | 'missing_file'
  | 'unknown_pipeline'
  | 'upload_too_large'
  | 'upload_too_slow'
  | 'too_many_uploads'
  | 'idempotency_mismatch'
  | 'job_not_found'
  | 'machine_not_found'
  | 'job_not_completed'
  | 'results_expired'
  | 'job_conflict'
  | 'queue_full'
  | 'path_refused'
  | 'file_missing'
  | 'video_missing'
  | 'picture_not_found'
  | 'pictures_busy'
  | 'job_unreadable'
  | 'job_unwritable'
  | 'store_unavailable'
  | 'schema_too_new'
  | 'invalid_config'
  | 'invalid_pipeline'
  | 'invalid_model'
  | 'invalid_query'
  | 'invalid_record';

export type ErrorCode = FailureCode | RefusalCode;

export interface ServiceErrorOptions extends ErrorOptions {
  /** True if a retry may succeed, because the error concerns the attempt and not the input. Default false. */
  readonly retryable?: boolean;
  /** Optional advice for the user. Separate from `message`, whose wording the contract may fix. */
  readonly hint?: string;
  /** Number of frames decoded before an analysis stopped. */
  readonly framesDecoded?: number;
}

/** The only error thrown on purpose: `message` for people, `code` for programs. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly hint: string | undefined;
  readonly framesDecoded: number | undefined;

  constructor(code: ErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint;
    this.framesDecoded = options.framesDecoded;
  }
}

/** Returns the message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Returns the code of an operating system error (such as `EACCES` or `ENOSPC`); undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
