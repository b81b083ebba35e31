/** JSON responses of the service, see docs/ENDPOINTS.md. Times are ISO 8601 UTC. A test compares them with its schemas. */

/** `completed` and `failed` are final. */
export type JobState = 'pending' | 'running' | 'completed' | 'failed';

/** `GET /video/status/{job_id}` and `POST /video/cancel/{job_id}` */
export interface StatusResponse {
  readonly job_id: string;
  readonly status: JobState;
  /** 0 when pending, 0.5 when running, 1 when completed or failed. */
  readonly progress: number;
  readonly created_at: string;
  readonly updated_at: string;
  /** Reason of the failure, for programs; only on failed jobs. */
  readonly error_code?: string | undefined;
  /** Reason of the failure, for people; only on failed jobs. */
  readonly error_message?: string | undefined;
}

/** `DELETE /video/jobs/{job_id}` */
export interface DeletionResponse {
  readonly job_id: string;
  /** Time of the first deletion. */
  readonly deleted_at: string;
}

export interface JobItem extends StatusResponse {
  readonly pipeline_id: string;
  readonly options: {
    readonly frame_stride: number;
    readonly max_frames?: number | undefined;
    readonly sample_every_ms?: number | undefined;
    readonly from_ms?: number | undefined;
    readonly to_ms?: number | undefined;
    readonly keyframes_only?: boolean | undefined;
    readonly region?: readonly [number, number, number, number] | undefined;
  };
  /** 0 before the first. */
  readonly attempt: number;
  /** Name of the uploaded file; null if none was given or kept. */
  readonly file_name: string | null;
  /** Label given by the client; null if none. */
  readonly tag: string | null;
  /** When the video and the results were deleted; null while they are kept. */
  readonly deleted_at: string | null;
}

/** `GET /video/jobs/{job_id}` */
export interface JobResponse extends JobItem {
  /** Every field is null where it is not known. */
  readonly media: {
    readonly width: number | null;
    readonly height: number | null;
    readonly duration_ms: number | null;
    readonly frame_rate: number | null;
    readonly codec: string | null;
    readonly frames_decoded: number | null;
    readonly frames_analysed: number | null;
  };
}

export type Counts = Readonly<Record<string, number>>;

/** `GET /video/jobs` */
export interface JobsResponse {
  readonly jobs: readonly JobItem[];
  readonly counts: Counts;
  /** Null on the last page. */
  readonly next_cursor: string | null;
}

export interface Step {
  /** From 1, without gaps. */
  readonly seq: number;
  readonly attempt: number;
  /** Null for the first. */
  readonly from: string | null;
  readonly event: string;
  readonly to: string;
  readonly occurred_at: string;
}

/** `GET /video/jobs/{job_id}/transitions` */
export interface TransitionsResponse {
  readonly job: JobItem;
  readonly transitions: readonly (Step & { readonly context: Readonly<Record<string, unknown>> })[];
}

/** A state's name, or the value of each active region, as in XState. */
export type StateValue = string | { readonly [region: string]: StateValue | undefined };

/** Median and 95th percentile in milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

/** `GET /machines/activity` */
export interface ActivityResponse {
  readonly counts: Counts;
  /** The jobs that ended in the last hour. */
  readonly last_hour: {
    readonly completed: number;
    /** Number of failed jobs by error code. */
    readonly failed: Counts;
    /** From acceptance to the first start; null if no job was started. */
    readonly wait_ms: Spread | null;
    /** From the last start to the end; null if no job was started. */
    readonly run_ms: Spread | null;
  };
  /** The latest transitions of all jobs, oldest first. */
  readonly transitions: readonly (Step & { readonly job_id: string })[];
  /** One per worker. */
  readonly workers: readonly StateValue[];
}

/** The part of XState's serialised definition that a chart needs. */
export interface StateDefinition {
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly initial?: { readonly target?: readonly string[] | undefined } | undefined;
  readonly states: Readonly<Record<string, StateDefinition>>;
  readonly on: Readonly<Record<string, readonly TransitionDefinition[]>>;
  readonly invoke?: readonly { readonly id: string; readonly src: string }[] | undefined;
  readonly description?: string | undefined;
}

export interface TransitionDefinition {
  /** Ids with a leading `#`; absent for an internal transition. */
  readonly target?: readonly string[] | undefined;
  readonly guard?: { readonly type?: string | undefined } | string | undefined;
  readonly description?: string | undefined;
}

/** `GET /machines/{id}` */
export interface MachineResponse {
  readonly id: string;
  /** Null for a machine whose snapshots are not stored. */
  readonly version: number | null;
  readonly definition: StateDefinition;
}

export interface PipelineItem {
  readonly id: string;
  readonly description: string;
  readonly nodes: readonly {
    readonly id: string;
    readonly tool: string;
    /** With all defaults. */
    readonly params: Readonly<Record<string, unknown>>;
    /** JSON Schema of the parameters. */
    readonly params_schema: Readonly<Record<string, unknown>>;
    /** What it can read: number of letters by script, the letters, and languages of Tesseract. */
    readonly reads?: {
      readonly scripts: Readonly<Record<string, number>>;
      readonly letters: string;
      readonly languages: readonly string[];
    };
  }[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
  readonly outputs: readonly string[];
}

/** `GET /pipelines` */
export interface PipelinesResponse {
  readonly pipelines: readonly PipelineItem[];
}

/** `[x, y, width, height]` in pixels from the top left of the displayed frame. */
export type Box = readonly [number, number, number, number];

/** One item of `GET /video/results/{job_id}` */
export interface FrameResult {
  readonly frame_index: number;
  readonly result: {
    readonly timestamp_ms: number;
    readonly text?: string | undefined;
    readonly lines?:
      | readonly {
          readonly text: string;
          readonly confidence: number;
          readonly bbox: Box;
          readonly polygon?: readonly (readonly [number, number])[] | undefined;
          readonly unsure?: boolean | undefined;
        }[]
      | undefined;
    readonly detections?:
      | readonly { readonly label: string; readonly confidence: number; readonly bbox: Box }[]
      | undefined;
  };
}

interface Interval {
  readonly start_ms: number;
  /** The segment holds for `start_ms <= t < end_ms`. */
  readonly end_ms: number;
}

/** One text in one place. */
export interface TextSegment extends Interval {
  readonly kind: 'text';
  readonly text: string;
  readonly confidence: number;
  readonly bbox: Box;
  /** Number of samples that show it. */
  readonly frames: number;
}

/** The presence of a label, or with a `track_id` of one instance. */
export interface ObjectSegment extends Interval {
  readonly kind: 'object';
  readonly label: string;
  readonly max_count: number;
  readonly confidence: number;
  readonly bbox: Box;
  readonly frames: number;
  readonly track_id?: number | undefined;
}

/** A subtitle or a slide. */
export interface Scene extends Interval {
  readonly kind: 'scene';
  readonly text: string;
  readonly lines: readonly { readonly text: string; readonly confidence: number; readonly bbox: Box }[];
  /** Index of its first sample. */
  readonly frame_index: number;
}

/** Values of `kind` in `GET /video/segments/{job_id}` */
export interface SegmentsOfKind {
  readonly text: TextSegment;
  readonly objects: ObjectSegment;
  readonly scenes: Scene;
}
export type SegmentKind = keyof SegmentsOfKind;

/** A video with its matching segments. */
export interface SearchHit {
  readonly job_id: string;
  readonly file_name: string | null;
  readonly created_at: string;
  /** True if the file name and the tag contain all the words. */
  readonly in_name: boolean;
  /** Number of segments that match, listed or not. */
  readonly matches: number;
  readonly segments: readonly (TextSegment | ObjectSegment | Scene)[];
}

/** `GET /video/search` */
export interface SearchResponse {
  readonly hits: readonly SearchHit[];
  /** False while the index is incomplete. */
  readonly complete: boolean;
  /** Null on the last page. */
  readonly next_cursor: string | null;
}

/** `GET /video/segments/{job_id}` */
export interface SegmentsResponse {
  readonly job_id: string;
  readonly segments: readonly (TextSegment | ObjectSegment | Scene)[];
}
