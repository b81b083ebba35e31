import type { JobId } from '../job.ts';
import { documentsWith, type WantedTerm } from './matched-documents.ts';
import type { SearchQuery } from './video-search.ts';

/** Segments per video on a page. */
const MAX_LISTED = 20;

/** What is searched; at least one of both. */
export interface Wanted {
  /** Empty for a query with only a label. */
  readonly terms: readonly WantedTerm[];
  /** Number of the word of the label. */
  readonly labelWord: number | undefined;
}

/** Selects the videos of a page, and one more if there are more. */
export function hitsStatement(
  { terms, labelWord }: Wanted,
  { from, to, pipelineId, limit, after, without }: SearchQuery & { readonly without: ReadonlySet<JobId> },
): string {
  const isOfLabel = `word_no = ${labelWord}`;
  const found =
    terms.length === 0
      ? `SELECT DISTINCT video, true AS is_exact FROM postings WHERE ${isOfLabel}`
      : `SELECT video, bool_or(is_exact) AS is_exact FROM (${documentsWith(terms)}) GROUP BY video`;
  const isBoth = terms.length > 0 && labelWord !== undefined;
  const conditions = [
    ...(from === undefined ? [] : [`created_at >= ${timestamp(from)}`]),
    ...(to === undefined ? [] : [`created_at < ${timestamp(to)}`]),
    ...(pipelineId === undefined ? [] : [`pipeline_id = '${pipelineId.replaceAll("'", "''")}'`]),
    ...(after === undefined
      ? []
      : [`(is_exact < ${after.isExact} OR (is_exact = ${after.isExact} AND job_id < '${after.jobId}'::UUID))`]),
    ...(without.size === 0 ? [] : [`job_id NOT IN (${[...without].map((id) => `'${id}'::UUID`).join()})`]),
  ];
  return `SELECT video, job_id::VARCHAR AS job_id, file_name, epoch_ms(created_at)::DOUBLE AS created_ms, is_exact
    FROM (${found}) JOIN videos USING (video)
    ${isBoth ? `SEMI JOIN (SELECT video FROM postings WHERE ${isOfLabel}) USING (video)` : ''}
    ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
    ORDER BY is_exact DESC, job_id DESC LIMIT ${limit + 1}`;
}

/**
 * Selects the listed documents of these videos: exact ones first, then by time. A scene is omitted if one of its lines
 * is found.
 */
export function listedStatement({ terms, labelWord }: Wanted, videos: readonly number[]): string {
  const within = `video IN (${videos.join()})`;
  const matched = [
    ...(terms.length === 0
      ? []
      : [
          `SELECT doc, video, bool_or(is_exact) AS is_exact, 0 AS part FROM (${documentsWith(terms, within)}) GROUP BY ALL`,
        ]),
    ...(labelWord === undefined
      ? []
      : [`SELECT doc, video, true AS is_exact, 1 AS part FROM postings WHERE word_no = ${labelWord} AND ${within}`]),
  ];
  return `WITH found AS (
      SELECT doc, video, part, is_exact, kind, start_ms, end_ms
      FROM (${matched.join(' UNION ALL ')}) JOIN documents USING (doc, video) WHERE ${within}),
    listed AS (
      SELECT * FROM found WHERE kind <> 'scene' OR NOT EXISTS (
        FROM found AS line WHERE line.video = found.video AND line.kind = 'text' AND line.is_exact >= found.is_exact
          AND line.start_ms < found.end_ms AND line.end_ms > found.start_ms))
    SELECT doc, video, kind, count(*) FILTER (kind <> 'name') OVER (PARTITION BY video) AS matches FROM listed
    QUALIFY row_number() OVER (PARTITION BY video, part, kind = 'name' ORDER BY is_exact DESC, start_ms, doc)
      <= ${MAX_LISTED}
    ORDER BY video, is_exact DESC, start_ms, doc`;
}

export interface ListedDocument {
  readonly doc: bigint;
  readonly video: number;
}

/**
 * Selects the segments of these documents. A statement per video, whose documents are close together: DuckDB only
 * decompresses the texts in a range, but all texts around those of a list.
 */
export function segmentsStatement(listed: readonly ListedDocument[]): string {
  const videos = new Set(listed.map(({ video }) => video));
  const selects = Array.from(videos, (each) => {
    const docs = listed.filter(({ video }) => video === each).map(({ doc }) => doc);
    const [least, most] = [docs.reduce((x, y) => (x < y ? x : y)), docs.reduce((x, y) => (x > y ? x : y))];
    return `SELECT doc, segment FROM documents WHERE doc BETWEEN ${least} AND ${most} AND doc IN (${docs.join()})`;
  });
  return selects.join(' UNION ALL ');
}

function timestamp(time: string): string {
  return `TIMESTAMP '${new Date(time).toISOString().replace('Z', '')}'`;
}
