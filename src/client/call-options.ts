import type { AnalysisOptions } from './analysis-options.ts';
import type { JobState, SegmentKind, StatusResponse } from './responses.ts';
import type { SearchFilter } from './search-query.ts';
import type { SegmentFilter, SegmentFormat } from './segment-query.ts';
import type { Fetch } from './send-file.ts';

export interface ClientOptions {
  /** Address of the service, such as `http://127.0.0.1:8000`. May be omitted in a page of the service. */
  readonly url?: string;
  /** A key of the service. */
  readonly apiKey?: string;
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch;
}

export interface CallOptions {
  /** Aborting it rejects the call with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface SubmitOptions extends CallOptions, AnalysisOptions {
  /** In Node.js: `await fs.openAsBlob(path)`, which reads the file while it is sent. */
  readonly file: Blob;
  /** Default: the file's own name, if it has one. */
  readonly fileName?: string;
  readonly pipelineId: string;
  /** A label for the job, such as the name of a collection. */
  readonly tag?: string | undefined;
  /** Makes the submission idempotent: a repetition returns the same job. 1 to 255 printable ASCII characters. */
  readonly idempotencyKey?: string;
  readonly onProgress?: (sentBytes: number, allBytes: number) => void;
}

/** Absent options are those of the original job. */
export interface RerunOptions extends CallOptions, AnalysisOptions {
  readonly pipelineId?: string | undefined;
  readonly tag?: string | undefined;
  /** As in `SubmitOptions`. */
  readonly idempotencyKey?: string;
}

export interface Submission {
  readonly jobId: string;
  /** True if the idempotency key was used before and no new job was created. */
  readonly isReplay: boolean;
}

export interface WaitOptions extends CallOptions {
  /** Called once for each observed state. */
  readonly onState?: (status: StatusResponse) => void;
  /** How long a service without a response is retried, in milliseconds. Default: one minute. */
  readonly patienceMs?: number;
}

export interface ListOptions extends CallOptions {
  readonly status?: JobState;
  readonly pipelineId?: string;
  /** Only jobs with this tag. */
  readonly tag?: string | undefined;
  /** Only jobs whose file name contains this text, ignoring case. */
  readonly fileName?: string | undefined;
}

export interface PageOptions extends ListOptions {
  /** Jobs per page, 1 to 200. Default 50. */
  readonly limit?: number;
  /** The `next_cursor` of the previous page. */
  readonly cursor?: string;
}

export interface SegmentsOptions<K extends SegmentKind = SegmentKind> extends CallOptions, SegmentFilter {
  /** Default `text`. */
  readonly kind?: K | undefined;
}

export interface SearchOptions extends CallOptions, SearchFilter {}

export interface SegmentsTextOptions extends SegmentsOptions {
  readonly format: SegmentFormat;
}

export interface StillOptions extends CallOptions {
  /** Time in milliseconds. Default 0. */
  readonly atMs?: number | undefined;
  /** Default `jpeg`. */
  readonly format?: 'jpeg' | 'png' | undefined;
}

export interface ThumbnailOptions extends CallOptions {
  /** Index of the first frame of a scene. Default: `first`, the first frame analysed. */
  readonly frameIndex?: number | 'first' | undefined;
}
