/** What the service answers, as far as the pages read it. Times are ISO 8601 UTC. */

export type Counts = Readonly<Record<string, number>>;

export interface JobItem {
  readonly job_id: string;
  readonly status: string;
  readonly progress: number;
  readonly pipeline_id: string;
  readonly options: { readonly frame_stride: number; readonly max_frames?: number };
  readonly attempt: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly error_code?: string;
  readonly error_message?: string;
}

/** `GET /video/jobs` */
export interface JobsAnswer {
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
export interface TransitionsAnswer {
  readonly job: JobItem;
  readonly transitions: readonly (Step & { readonly context: Readonly<Record<string, unknown>> })[];
}

/** A state's name, or for each active region the value inside it, as XState writes it. */
export type StateValue = string | { readonly [region: string]: StateValue | undefined };

/** `GET /machines/activity` */
export interface ActivityAnswer {
  readonly counts: Counts;
  /** The transitions just taken, of all jobs, the oldest first. */
  readonly transitions: readonly (Step & { readonly job_id: string })[];
  /** One for each worker. */
  readonly workers: readonly StateValue[];
}

/** `GET /pipelines` */
export interface PipelinesAnswer {
  readonly pipelines: readonly { readonly id: string; readonly description: string }[];
}

/** `[x, y, width, height]` in pixels from the top left of the displayed frame. */
export type Box = readonly [number, number, number, number];

/** One item of `GET /video/results/{job_id}` */
export interface FrameResult {
  readonly frame_index: number;
  readonly result: {
    readonly timestamp_ms: number;
    readonly text?: string;
    readonly lines?: readonly { readonly text: string; readonly confidence: number; readonly bbox: Box }[];
    readonly detections?: readonly { readonly label: string; readonly confidence: number; readonly bbox: Box }[];
  };
}
