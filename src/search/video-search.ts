import type { JobId } from '../job.ts';
import type { Segment } from '../segments/segment.ts';

/** A query. At least one of `text` and `label` is given. */
export interface SearchQuery {
  /** Words in any order and `"phrases"`. */
  readonly text?: string | undefined;
  /** Name of an object class, ignoring case. */
  readonly label?: string | undefined;
  /** ISO 8601 UTC: only videos accepted at or after this time. */
  readonly from?: string | undefined;
  /** ISO 8601 UTC: only videos accepted before this time. */
  readonly to?: string | undefined;
  readonly pipelineId?: string | undefined;
  /** Maximum number of videos on the page. */
  readonly limit: number;
  /** Position of the last video of the previous page. */
  readonly after?: SearchPlace | undefined;
}

/** Position of a video among the hits: exact ones first, then newest first. */
export interface SearchPlace {
  readonly isExact: boolean;
  readonly jobId: JobId;
}

export interface SearchHit extends SearchPlace {
  readonly fileName: string | null;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
  /** True if the file name or the tag has all the words. */
  readonly isInName: boolean;
  /** Number of matching segments, listed or not. */
  readonly matches: number;
  /** The first matching segments: exact ones first, then by time. */
  readonly segments: readonly Segment[];
}

export interface SearchPage {
  readonly hits: readonly SearchHit[];
  /** False while videos are being added to the index. */
  readonly isComplete: boolean;
  /** Undefined on the last page. */
  readonly next: SearchPlace | undefined;
}

/** State of the index. */
export interface SearchState {
  readonly isComplete: boolean;
  /** Number of videos in the index. */
  readonly videos: number;
}

/** Search over the segments of all completed jobs. */
export interface VideoSearch {
  /** Rejects with `invalid_request` if the text has no word or too many. Without an index, nothing is found. */
  search(query: SearchQuery): Promise<SearchPage>;
  /** Adds the job's segments in the background. */
  add(jobId: JobId): void;
  /** No later search finds these jobs. Returns at once. */
  remove(jobIds: readonly JobId[]): void;
  state(): SearchState;
}

/** A completed job with files, for the index. */
export interface SearchableVideo {
  readonly jobId: JobId;
  readonly pipelineId: string;
  readonly fileName: string | null;
  readonly tag: string | null;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
  /** Local path of the document of its segments. */
  readonly segmentsPath: string;
}

/** The source of the index. */
export interface VideoSource {
  /** Returns completed jobs in order of acceptance, after this one. */
  completed(
    afterSeq: number,
    limit: number,
  ): Promise<readonly { readonly jobId: JobId; readonly acceptedSeq: number }[]>;
  /** Returns undefined for a job that is not completed or whose files are deleted. Creates missing segments. */
  open(jobId: JobId): Promise<SearchableVideo | undefined>;
  /** Returns those of these jobs that are unknown or whose files are deleted. */
  gone(jobIds: readonly JobId[]): Promise<readonly JobId[]>;
}
