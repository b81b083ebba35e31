import type { JobId } from '../job.ts';
import type { SearchQuery } from './video-search.ts';

/** Segments per video on a page. */
const MAX_LISTED = 20;

/** Selects the videos of a page, and one more if there are more. @param parts of `matched`; a video must have all */
export function hitsStatement(
  { from, to, pipelineId, limit, after, without }: SearchQuery & { readonly without: ReadonlySet<JobId> },
  parts: number,
): string {
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
    FROM (SELECT video, bool_or(is_exact AND part = 0) AS is_exact FROM matched
      GROUP BY video HAVING count(DISTINCT part) = ${parts})
    JOIN videos USING (video)
    ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
    ORDER BY is_exact DESC, job_id DESC LIMIT ${limit + 1}`;
}

/**
 * Selects the listed documents of these videos: exact ones first, then by time. A scene is omitted if one of its lines
 * is found.
 */
export function listedStatement(videos: readonly number[]): string {
  const list = videos.join();
  return `WITH found AS (
      SELECT doc, video, part, is_exact, kind, start_ms, end_ms
      FROM (SELECT * FROM matched WHERE video IN (${list})) JOIN documents USING (doc, video)
      WHERE video IN (${list})),
    listed AS (
      SELECT * FROM found WHERE kind <> 'scene' OR NOT EXISTS (
        FROM found AS line WHERE line.video = found.video AND line.kind = 'text' AND line.is_exact >= found.is_exact
          AND line.start_ms < found.end_ms AND line.end_ms > found.start_ms))
    SELECT doc, video, kind, count(*) FILTER (kind <> 'name') OVER (PARTITION BY video) AS matches FROM listed
    QUALIFY row_number() OVER (PARTITION BY video, part, kind = 'name' ORDER BY is_exact DESC, start_ms, doc)
      <= ${MAX_LISTED}
    ORDER BY video, is_exact DESC, start_ms, doc`;
}

function timestamp(time: string): string {
  return `TIMESTAMP '${new Date(time).toISOString().replace('Z', '')}'`;
}
