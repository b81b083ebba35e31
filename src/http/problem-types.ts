import type { ErrorCode } from '../errors.ts';

/** What HTTP alone can refuse, beside what the service does. */
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
  /** Seconds after which another try makes sense. */
  readonly retryAfterS?: number;
  /** What the code means to the client, for the documents. */
  readonly meaning: string;
  /** What the client or the operator can do about it, for the documents. */
  readonly remedy: string;
}

export const INTERNAL: ProblemType = {
  status: 500,
  title: 'Internal error',
  meaning: 'The service failed',
  remedy: 'Look for the `request_id` in the log; it is a defect, or a damaged file or row',
};

/** The only table of HTTP numbers. Failures of a job are told by its status with 200, so here they are errors of ours. */
export const PROBLEM_TYPES: Readonly<Record<ProblemCode, ProblemType>> = {
  invalid_mp4: {
    status: 400,
    title: 'Not an MP4 video',
    meaning: 'No file type box in the first 64 bytes, or one that names no kind of video',
    remedy: 'Send an MP4 file; the `hint` says how to make one of what was sent, where that is known',
  },
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    meaning: 'The request is not HTTP, ended before it was whole, or has no single `Host`',
    remedy: 'Correct the client; send the request again if the connection broke',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid key',
    meaning: 'There is no key in the headers, or one that is not known',
    remedy: 'Send a key of `API_KEYS` as `X-API-Key` or `Authorization: Bearer`; pages sign in',
  },
  scope_missing: {
    status: 403,
    title: 'The key does not allow this',
    meaning: 'The key does not have the scope that this needs',
    remedy: 'Use another key',
  },
  foreign_origin: {
    status: 403,
    title: 'Asked by a page of another origin',
    meaning: 'A page of another origin asked, or the service was addressed by a name that is not its own',
    remedy: 'Use a page of the service itself, or no browser; add the name to `ALLOWED_HOSTS`',
  },
  unknown_pipeline: {
    status: 404,
    title: 'Unknown pipeline',
    meaning: 'No pipeline has this id',
    remedy: 'Name one of those that the detail, or `GET /pipelines`, lists',
  },
  machine_not_found: {
    status: 404,
    title: 'Unknown machine',
    meaning: 'No machine has this id',
    remedy: 'Name one of those that `GET /machines` lists',
  },
  job_not_found: {
    status: 404,
    title: 'Unknown job',
    meaning: 'No job has this id, or it is not a UUID',
    remedy: 'Check the id and the `DATA_DIR`',
  },
  video_missing: {
    status: 404,
    title: 'Video no longer stored',
    meaning: 'The job is known, and its video is no longer stored',
    remedy: 'Nothing: it was deleted, by `RETENTION_MS` or by `DELETE /video/jobs/{job_id}`',
  },
  job_not_completed: {
    status: 404,
    title: 'Job not completed',
    meaning: 'The job is pending, running or failed; the detail says which',
    remedy: 'Poll the status until it is `completed`; a failed job says why there',
  },
  route_not_found: {
    status: 404,
    title: 'Nothing here',
    meaning: 'Nothing answers at this path',
    remedy: 'See the endpoints above',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The path knows other methods',
    remedy: 'Use one of those in the header `Allow`',
  },
  request_timeout: {
    status: 408,
    title: 'Request timed out',
    meaning: 'The headers did not come within 15 seconds',
    remedy: 'Try again',
  },
  upload_too_slow: {
    status: 408,
    title: 'Upload too slow',
    meaning: 'For half a minute less than `MIN_UPLOAD_BYTES_PER_S` came in, or the upload took longer than it may',
    remedy: 'Try again on a better line, or lower the setting',
  },
  job_conflict: {
    status: 409,
    title: 'Not possible in the present state',
    meaning: 'The state of the job refuses what was asked of it; the detail names the state',
    remedy: 'Read its status again; what has ended is not cancelled, and files are deleted only when it has',
  },
  results_expired: {
    status: 410,
    title: 'Results deleted',
    meaning: 'The video and the results were deleted; the detail says when',
    remedy: 'Submit the video again; `RETENTION_MS` says how long results are kept',
  },
  upload_too_large: {
    status: 413,
    title: 'Upload too large',
    meaning: 'The video is larger than `MAX_UPLOAD_BYTES`',
    remedy: 'Cut the video, or raise the setting',
  },
  range_not_satisfiable: {
    status: 416,
    title: 'Range beyond the end',
    meaning: 'The header `Range` begins beyond the end of the video',
    remedy: 'The header `Content-Range` of the answer has its size',
  },
  expectation_failed: {
    status: 417,
    title: 'Expectation not met',
    meaning: 'The header `Expect` asks for something other than `100-continue`',
    remedy: 'Leave the header out',
  },
  invalid_request: {
    status: 422,
    title: 'Invalid request',
    meaning: 'A parameter is missing or out of range or given twice, or the body is not a sound form',
    remedy: 'The detail names the parameter, or what is wrong with the body',
  },
  missing_file: {
    status: 422,
    title: 'No file',
    meaning: 'The form has no field `file` with a file, or the body is no form',
    remedy: 'Send multipart/form-data with the video in `file`',
  },
  idempotency_mismatch: {
    status: 422,
    title: 'Idempotency-Key used for another submission',
    meaning: 'The `Idempotency-Key` came before with another video, pipeline or options',
    remedy: 'Give each submission a key of its own, and the same one only to its repetition',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    meaning:
      'More requests than `REQUESTS_PER_S` allows, too many wrong keys, or more uploads or waiting jobs than one client may have',
    remedy: 'Try again after `Retry-After` seconds',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    meaning: 'The headers exceed 16 KiB',
    remedy: 'Send fewer',
  },
  too_many_uploads: {
    status: 503,
    title: 'Too many uploads at once',
    retryAfterS: 5,
    meaning: 'As many uploads arrive as `MAX_UPLOADS` allows',
    remedy: 'Try again after `Retry-After` seconds',
  },
  queue_full: {
    status: 503,
    title: 'Too many jobs are waiting',
    retryAfterS: 30,
    meaning: 'As many jobs wait as `MAX_PENDING` allows',
    remedy: 'Try again after `Retry-After` seconds',
  },
  store_unavailable: {
    status: 503,
    title: 'Database not available',
    retryAfterS: 5,
    meaning: 'The database could not be read or written',
    remedy: 'Try again after `Retry-After` seconds; the log has the reason',
  },
  storage_unavailable: {
    status: 503,
    title: 'Storage not available',
    retryAfterS: 5,
    meaning: 'The files in `DATA_DIR` cannot be read or written now: no access, no descriptors left, a disk that fails',
    remedy: 'Try again after `Retry-After` seconds; the log has the reason',
  },
  worker_dead: {
    status: 503,
    title: 'A worker is dead',
    meaning: 'A worker died and is not replaced yet; the log says why it died',
    remedy: 'Try again later; if it stays so, report the reason in the log',
  },
  not_ready: {
    status: 503,
    title: 'Not ready',
    retryAfterS: 1,
    meaning:
      'A submission would be refused (no room on the disk, a full queue, a folder that cannot be written, no database), or every worker waits; the detail says which',
    remedy: 'Try again after `Retry-After` seconds',
  },
  storage_full: {
    status: 507,
    title: 'No room on the disk',
    meaning: 'The upload would leave less than `DISK_RESERVE_BYTES` free, or the disk is full',
    remedy: 'Make room on the disk of `DATA_DIR`',
  },
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
