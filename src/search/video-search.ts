import type { JobId } from '../job.ts';
import type { Segment } from '../segments/segment.ts';

/** What is looked for. At least one of `text` and `label` is given. */
export interface SearchQuery {
  /** Words in any order and `"phrases"`. */
  readonly text?: string | undefined;
  /** Name of a class of object, in any case. */
  readonly label?: string | undefined;
  /** ISO 8601 UTC: only videos accepted at or after this time. */
  readonly from?: string | undefined;
  /** ISO 8601 UTC: only videos accepted before this time. */
  readonly to?: string | undefined;
  readonly pipelineId?: string | undefined;
  /** Most videos of the page. */
  readonly limit: number;
  /** The place of the last video of the page before. */
  readonly after?: SearchPlace | undefined;
}

/** Where a video stands among the hits: exact ones first, then the last accepted first. */
export interface SearchPlace {
  readonly isExact: boolean;
  readonly jobId: JobId;
}

export interface SearchHit extends SearchPlace {
  readonly fileName: string | null;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
  /** True when the file name or the tag has all the words. */
  readonly isInName: boolean;
  /** Number of segments that match, listed or not. */
  readonly matches: number;
  /** The first of the segments that match: exact ones first, then by time. */
  readonly segments: readonly Segment[];
}

export interface SearchPage {
  readonly hits: readonly SearchHit[];
  /** False while videos are yet to be added to the index. */
  readonly isComplete: boolean;
  /** Undefined on the last page. */
  readonly next: SearchPlace | undefined;
}

/** State of the index. */
export interface SearchState {
  readonly isComplete: boolean;
  /** Videos in the index. */
  readonly videos: number;
}

/** Search over the segments of all completed jobs. */
export interface VideoSearch {
  /** Rejects with `invalid_request` when the text has no word, or too many. While there is no index, nothing is found. */
  search(query: SearchQuery): Promise<SearchPage>;
  /** Adds the job's segments soon. Returns at once. */
  add(jobId: JobId): void;
  /** No later search finds these jobs. Returns at once. */
  remove(jobIds: readonly JobId[]): void;
  state(): SearchState;
}

/** A completed job whose files are kept, as the index has it. */
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

/** Where the index gets what it is made of. */
export interface VideoSource {
  /** Completed jobs in the order of acceptance, accepted after that one. */
  completed(
    afterSeq: number,
    limit: number,
  ): Promise<readonly { readonly jobId: JobId; readonly acceptedSeq: number }[]>;
  /** Undefined for a job that is not completed or whose files are deleted. Makes the segments where they are missing. */
  open(jobId: JobId): Promise<SearchableVideo | undefined>;
  /** Those of these jobs that are not known or whose files are deleted. */
  gone(jobIds: readonly JobId[]): Promise<readonly JobId[]>;
}
