import { queryOf } from './query.ts';

/** The query; at least one of `text` and `label`. */
export interface SearchFilter {
  /** Words in any order and `"phrases"`. */
  readonly text?: string | undefined;
  /** Class of an object, such as `car`. */
  readonly label?: string | undefined;
  /** Only videos accepted at or after this date or time. */
  readonly from?: string | undefined;
  /** Only videos accepted before this date or time. */
  readonly to?: string | undefined;
  readonly pipelineId?: string | undefined;
  /** Videos per page, 1 to 100. Default 20. */
  readonly limit?: number | undefined;
  /** The `next_cursor` of the previous page. */
  readonly cursor?: string | undefined;
}

/** Returns the path of a search. */
export function searchPath({ text, pipelineId, label, from, to, limit, cursor }: SearchFilter): string {
  return `/video/search?${queryOf({ q: text, label, from, to, pipeline_id: pipelineId, limit, cursor })}`;
}
