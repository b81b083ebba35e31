import type { FailureCode } from '../../src/errors.ts';
import type { ProblemCode } from '../../src/http/problem.ts';

/** What a code means to the one who meets it, and what can be done about it. */
export interface Explanation {
  readonly means: string;
  readonly remedy: string;
}

/** Codes that a problem document can carry; a code of `src/http/problem.ts` that is missing here does not compile. */
export const PROBLEMS: Readonly<Record<Exclude<ProblemCode, FailureCode | StartCode> | ToldFailure, Explanation>> = {
  invalid_mp4: {
    means: 'No file type box in the first 64 bytes, or one that names no kind of video',
    remedy: 'Send an MP4 file; the `hint` says how to make one of what was sent, where that is known',
  },
  malformed_request: {
    means: 'The request is not HTTP, ended before it was whole, or has no single `Host`',
    remedy: 'Correct the client; send the request again if the connection broke',
  },
  expectation_failed: {
    means: 'The header `Expect` asks for something other than `100-continue`',
    remedy: 'Leave the header out',
  },
  unknown_pipeline: {
    means: 'No pipeline has this id',
    remedy: 'Name one of those that the detail, or `GET /pipelines`, lists',
  },
  machine_not_found: { means: 'No machine has this id', remedy: 'Name one of those that `GET /machines` lists' },
  video_missing: {
    means: 'The job is known, and its video is no longer stored',
    remedy: 'Nothing: it was deleted, by `RETENTION_MS` or by `DELETE /video/jobs/{job_id}`',
  },
  range_not_satisfiable: {
    means: 'The header `Range` begins beyond the end of the video',
    remedy: 'The header `Content-Range` of the answer has its size',
  },
  unauthenticated: {
    means: 'There is no key in the headers, or one that is not known',
    remedy: 'Send a key of `API_KEYS` as `X-API-Key` or `Authorization: Bearer`; pages sign in',
  },
  scope_missing: { means: 'The key does not have the scope that this needs', remedy: 'Use another key' },
  foreign_origin: {
    means: 'A page of another origin asked, or the service was addressed by a name that is not its own',
    remedy: 'Use a page of the service itself, or no browser; add the name to `ALLOWED_HOSTS`',
  },
  job_not_found: { means: 'No job has this id, or it is not a UUID', remedy: 'Check the id and the `DATA_DIR`' },
  job_not_completed: {
    means: 'The job is pending, running or failed; the detail says which',
    remedy: 'Poll the status until it is `completed`; a failed job says why there',
  },
  route_not_found: { means: 'Nothing answers at this path', remedy: 'See the endpoints above' },
  method_not_allowed: { means: 'The path knows other methods', remedy: 'Use one of those in the header `Allow`' },
  request_timeout: { means: 'The headers did not come within 15 seconds', remedy: 'Try again' },
  upload_too_slow: {
    means: 'For half a minute less than `MIN_UPLOAD_BYTES_PER_S` came in, or the upload took longer than it may',
    remedy: 'Try again on a better line, or lower the setting',
  },
  job_conflict: {
    means: 'The state of the job refuses what was asked of it; the detail names the state',
    remedy: 'Read its status again; what has ended is not cancelled, and files are deleted only when it has',
  },
  results_expired: {
    means: 'The video and the results were deleted; the detail says when',
    remedy: 'Submit the video again; `RETENTION_MS` says how long results are kept',
  },
  upload_too_large: {
    means: 'The video is larger than `MAX_UPLOAD_BYTES`',
    remedy: 'Cut the video, or raise the setting',
  },
  invalid_request: {
    means: 'A parameter is missing or out of range or given twice, or the body is not a sound form',
    remedy: 'The detail names the parameter, or what is wrong with the body',
  },
  missing_file: {
    means: 'The form has no field `file` with a file, or the body is no form',
    remedy: 'Send multipart/form-data with the video in `file`',
  },
  idempotency_mismatch: {
    means: 'The `Idempotency-Key` came before with another video, pipeline or options',
    remedy: 'Give each submission a key of its own, and the same one only to its repetition',
  },
  too_many_requests: {
    means: 'More requests than `REQUESTS_PER_S` allows, or too many wrong keys',
    remedy: 'Try again after `Retry-After` seconds',
  },
  headers_too_large: { means: 'The headers exceed 16 KiB', remedy: 'Send fewer' },
  too_many_uploads: {
    means: 'As many uploads arrive as `MAX_UPLOADS` allows',
    remedy: 'Try again after `Retry-After` seconds',
  },
  queue_full: { means: 'As many jobs wait as `MAX_PENDING` allows', remedy: 'Try again after `Retry-After` seconds' },
  store_unavailable: {
    means: 'The database could not be read or written',
    remedy: 'Try again after `Retry-After` seconds; the log has the reason',
  },
  storage_unavailable: {
    means: 'The files in `DATA_DIR` cannot be read or written now: no access, no descriptors left, a disk that fails',
    remedy: 'Try again after `Retry-After` seconds; the log has the reason',
  },
  worker_dead: {
    means: 'A worker died and is not replaced yet; the log says why it died',
    remedy: 'Try again later; if it stays so, report the reason in the log',
  },
  not_ready: {
    means:
      'A submission would be refused (no room on the disk, a full queue, a folder that cannot be written, no database), or every worker waits; the detail says which',
    remedy: 'Try again after `Retry-After` seconds',
  },
  storage_full: {
    means: 'The upload would leave less than `DISK_RESERVE_BYTES` free, or the disk is full',
    remedy: 'Make room on the disk of `DATA_DIR`',
  },
  internal: {
    means: 'The service failed',
    remedy: 'Look for the `request_id` in the log; it is a defect, or a damaged file or row',
  },
};

/** `error_code` of a failed job. */
export const FAILURES: Readonly<Record<FailureCode, Explanation>> = {
  invalid_video: {
    means: 'There is nothing in the file that can be shown: no video track, a codec that is not known, no whole frame',
    remedy: 'Play it; encode it anew, for example `ffmpeg -i in.mp4 -c:v libx264 out.mp4`',
  },
  too_large: {
    means: 'A limit was crossed; the message names it',
    remedy: 'Cut or scale the video, sample fewer frames, or raise the limit',
  },
  decoder_crashed: {
    means: 'The process that analysed the video died, in as many attempts as a job has',
    remedy: 'Submit it again once; if it fails again, report it: the log has what the process printed',
  },
  memory_limit: {
    means: 'The analysis needed more than `CHILD_MEMORY_BYTES`, even with one inference thread and one frame at a time',
    remedy: 'Raise `CHILD_MEMORY_BYTES`, lower the `detection_side` of the pipeline, or scale the video down',
  },
  stalled: {
    means: 'No frame was decoded and none analysed for `STALL_TIMEOUT_MS`, in as many attempts as a job has',
    remedy: 'See whether the machine was overloaded; submit it again, or raise the setting',
  },
  timeout: {
    means: 'One attempt took longer than `JOB_TIMEOUT_MS`',
    remedy: 'Raise `frame_stride`, set `max_frames`, or raise the setting',
  },
  cancelled: { means: 'The job was given up by its owner', remedy: 'Submit the video again if it was a mistake' },
  interrupted: {
    means: 'The service died while the job was running, in as many attempts as a job has',
    remedy: 'See in the log and with the system why it died (out of memory?), then submit the video again',
  },
  input_missing: {
    means: 'The stored video is gone or cannot be opened',
    remedy: 'Nothing but the service may change files under `DATA_DIR`; submit the video again',
  },
  storage_full: {
    means: 'The disk was full again and again when the results were saved, while other jobs completed',
    remedy: 'Make room on the disk of `DATA_DIR`, then submit the video again',
  },
  storage_unavailable: {
    means: 'Files of this job could not be read or written again and again, while other jobs completed',
    remedy:
      'The log has the reason under the `job_id`; repair the disk or the rights of the files, then submit it again',
  },
  child_unavailable: {
    means: 'No process could be started for this job again and again, while other jobs completed',
    remedy: 'The log has the reason under the `job_id`; free memory and processes, then submit it again',
  },
  internal: {
    means: 'A defect of the service, a damaged row of the job, or a pipeline that is no longer there',
    remedy: 'The log has the reason under the `job_id`',
  },
};

/** Codes that end the start of the service, or that only its log tells; a request meets them as `internal`. */
type StartCode =
  | 'job_unreadable'
  | 'path_refused'
  | 'file_missing'
  | 'schema_too_new'
  | 'invalid_config'
  | 'invalid_pipeline'
  | 'invalid_model'
  | 'invalid_query';
/** Failures of a job that a request can meet too. */
type ToldFailure = 'storage_full' | 'storage_unavailable' | 'internal';
