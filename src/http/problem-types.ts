import type { ErrorCode } from '../errors.ts';

/** Codes that only HTTP requests can have, beside those of the service. */
export type HttpCode =
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

export interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** Seconds after which a retry makes sense. */
  readonly retryAfterS?: number;
  /** For the documents. */
  readonly meaning: string;
  /** What the client or the operator can do, for the documents. */
  readonly remedy: string;
}

export const INTERNAL: ProblemType = {
  status: 500,
  title: 'Internal error',
  meaning: 'The service failed',
  remedy: 'Search the log for the `request_id`: it is a defect, or a damaged file or row',
};

/** The only table of HTTP statuses. A failed job is reported with 200, so the codes of its failure count as internal here. */
export const PROBLEM_TYPES: Readonly<Record<ProblemCode, ProblemType>> = {
  invalid_mp4: {
    status: 400,
    title: 'Not an MP4 video',
    meaning: 'The first 64 bytes have no file type box with a video brand',
    remedy: 'Send an MP4 file; if the format is known, the `hint` says how to convert it',
  },
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    meaning: 'The request is not valid HTTP, is incomplete, or does not have exactly one `Host`',
    remedy: 'Correct the client',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid key',
    meaning: 'The headers contain no key, or an unknown one',
    remedy: 'Send a valid key',
  },
  scope_missing: {
    status: 403,
    title: 'The key does not allow this',
    meaning: 'The key lacks the scope of this endpoint',
    remedy: 'Use another key',
  },
  foreign_origin: {
    status: 403,
    title: 'Request from another origin',
    meaning: 'The request comes from a page of another origin, or its `Host` is not a name of the service',
    remedy: 'Use the pages of the service or no browser, or add the name to `ALLOWED_HOSTS`',
  },
  unknown_pipeline: {
    status: 404,
    title: 'Unknown pipeline',
    meaning: 'No pipeline has this id',
    remedy: 'Use one of those in the detail',
  },
  machine_not_found: {
    status: 404,
    title: 'Unknown machine',
    meaning: 'No machine has this id',
    remedy: 'Use one of those in `GET /machines`',
  },
  job_not_found: {
    status: 404,
    title: 'Unknown job',
    meaning: 'No job has this id, or the id is not a UUID',
    remedy: 'Check the id and the `DATA_DIR`',
  },
  video_missing: {
    status: 410,
    title: 'Video no longer stored',
    meaning: 'The video was deleted, or the job was imported without it',
    remedy: 'Submit the video again, or raise `RETENTION_MS`',
  },
  picture_not_found: {
    status: 404,
    title: 'No such picture',
    meaning: 'The job has no thumbnail of this frame, or its video shows nothing at this time',
    remedy: 'Use `first` or the `frame_index` of a scene; correct `at_ms`',
  },
  job_not_completed: {
    status: 404,
    title: 'Job not completed',
    meaning: 'The job is pending, running or failed (see the detail)',
    remedy: 'Poll the status, which has the reason of a failed job',
  },
  route_not_found: {
    status: 404,
    title: 'Unknown path',
    meaning: 'The service has nothing at this path',
    remedy: 'Check the path against `GET /docs`',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The path does not support this method',
    remedy: 'Use a method from the header `Allow`',
  },
  request_timeout: {
    status: 408,
    title: 'Request timed out',
    meaning: 'The headers did not arrive within 15 seconds',
    remedy: 'Retry',
  },
  upload_too_slow: {
    status: 408,
    title: 'Upload too slow',
    meaning:
      'The upload was slower than `MIN_UPLOAD_BYTES_PER_S` for 30 seconds, or longer than `UPLOAD_TIMEOUT_MS` allows',
    remedy: 'Use a faster connection, or change the setting',
  },
  job_conflict: {
    status: 409,
    title: 'Not possible in the present state',
    meaning: 'The state of the job does not allow this (see the detail)',
    remedy: 'Cancel only pending and running jobs; delete only the files of finished jobs',
  },
  results_expired: {
    status: 410,
    title: 'Results deleted',
    meaning: 'The video and the results were deleted (the detail has the time)',
    remedy: 'Submit the video again, or raise `RETENTION_MS`',
  },
  upload_too_large: {
    status: 413,
    title: 'Upload too large',
    meaning: 'The video is larger than `MAX_UPLOAD_BYTES`',
    remedy: 'Shorten the video, or raise the setting',
  },
  range_not_satisfiable: {
    status: 416,
    title: 'Range beyond the end',
    meaning: 'The header `Range` begins beyond the end of the video',
    remedy: 'Use the size in the header `Content-Range`',
  },
  expectation_failed: {
    status: 417,
    title: 'Expectation not met',
    meaning: 'The header `Expect` is not `100-continue`',
    remedy: 'Omit the header',
  },
  invalid_request: {
    status: 422,
    title: 'Invalid request',
    meaning: 'A parameter is missing, out of range or given twice, or the body is not a valid form',
    remedy: 'Correct what the detail names',
  },
  missing_file: {
    status: 422,
    title: 'No file',
    meaning: 'The form has no file in the field `file`, or the body is not a form',
    remedy: 'Send multipart/form-data with the video in `file`',
  },
  idempotency_mismatch: {
    status: 422,
    title: 'Idempotency-Key used for another submission',
    meaning: 'The `Idempotency-Key` was used for another video, pipeline or options',
    remedy: 'Use a new key for each submission',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    meaning: 'The client exceeds `REQUESTS_PER_S`, its share of uploads or pending jobs, or the limit of wrong keys',
    remedy: 'Retry after `Retry-After`',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    meaning: 'The headers exceed 16 KiB',
    remedy: 'Send fewer or shorter headers',
  },
  too_many_uploads: {
    status: 503,
    title: 'Too many uploads at once',
    retryAfterS: 5,
    meaning: '`MAX_UPLOADS` uploads are in progress',
    remedy: 'Retry after `Retry-After`',
  },
  queue_full: {
    status: 503,
    title: 'Too many pending jobs',
    retryAfterS: 30,
    meaning: '`MAX_PENDING` jobs are pending',
    remedy: 'Retry after `Retry-After`',
  },
  pictures_busy: {
    status: 503,
    title: 'Too many pictures at once',
    retryAfterS: 2,
    meaning: 'Too many pictures are being made, or this one took too long',
    remedy: 'Retry after `Retry-After`',
  },
  store_unavailable: {
    status: 503,
    title: 'Database not available',
    retryAfterS: 5,
    meaning: 'The database cannot be read or written',
    remedy: 'Retry after `Retry-After`; the log has the reason',
  },
  storage_unavailable: {
    status: 503,
    title: 'Storage not available',
    retryAfterS: 5,
    meaning: 'Files in `DATA_DIR` cannot be read or written',
    remedy: 'Retry after `Retry-After`; the log has the reason',
  },
  worker_dead: {
    status: 503,
    title: 'A worker died',
    meaning: 'A worker died and is not replaced yet',
    remedy: 'Retry; if it persists, the log has the reason',
  },
  not_ready: {
    status: 503,
    title: 'Not ready',
    retryAfterS: 1,
    meaning: 'Uploads would be rejected, or every worker waits (see the detail)',
    remedy: 'Retry after `Retry-After`',
  },
  storage_full: {
    status: 507,
    title: 'Not enough disk space',
    meaning: 'The upload would leave less than `DISK_RESERVE_BYTES` free',
    remedy: 'Free space on the disk of `DATA_DIR`',
  },
  job_unreadable: INTERNAL,
  job_unwritable: INTERNAL,
  child_unavailable: INTERNAL,
  path_refused: INTERNAL,
  file_missing: INTERNAL,
  schema_too_new: INTERNAL,
  invalid_config: INTERNAL,
  invalid_pipeline: INTERNAL,
  invalid_model: INTERNAL,
  invalid_query: INTERNAL,
  invalid_record: INTERNAL,
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
