/**
 * The views, as SQL. They read the files line by line: a results file is one JSON document with one frame a line, so
 * memory follows the longest line and not the file, of which one may have a gigabyte.
 */

/** Longest line read, in bytes; a longer one is left out. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/**
 * A file as lines: CSV with one column, no quotes, and a delimiter that JSON always escapes. Told so, DuckDB looks into no
 * file to find out. A buffer that holds fewer than two of the longest lines loses lines at its edges, and so would
 * threads that share a file; files are read side by side anyway. Bytes that are no UTF-8 lose their line and no other.
 */
const lines = (files: string): string =>
  `read_csv(${files}, columns = {line: 'VARCHAR'}, filename = true, auto_detect = false, header = false,
    delim = chr(1), quote = '', escape = '', strict_mode = false, ignore_errors = true, parallel = false,
    max_line_size = ${MAX_LINE_BYTES}, buffer_size = ${2 * MAX_LINE_BYTES})`;

/** By the file's name: a comparison with one id then opens that one file. */
const JOB_ID = 'parse_filename(filename)[:36] AS job_id';

/**
 * JSON as a struct; NULL where it is damaged. A list of one, unnested, keeps the optimizer from reading a line again for
 * each column and each condition.
 */
const struct = (json: string, shape: object): string => `unnest([TRY(from_json(${json}, '${JSON.stringify(shape)}'))])`;

const FRAME_LINE = `CASE WHEN starts_with(line, '{"frame_index":') THEN rtrim(line, ',') END`;
const FIRST_LINE = '{"results": [';
const LAST_LINES = `(']}', '{"results": []}')`;

const SIDECAR = {
  job_id: 'VARCHAR',
  pipeline_id: 'VARCHAR',
  options: { frame_stride: 'BIGINT', max_frames: 'BIGINT' },
  accepted_at: 'TIMESTAMPTZ',
  outcome: {
    status: 'VARCHAR',
    error_code: 'VARCHAR',
    error_message: 'VARCHAR',
    attempt: 'INTEGER',
    ended_at: 'TIMESTAMPTZ',
  },
  expired_at: 'TIMESTAMPTZ',
};
const FRAME = { frame_index: 'BIGINT', result: { timestamp_ms: 'DOUBLE', text: 'VARCHAR' } };
const BOX = { confidence: 'DOUBLE', bbox: ['DOUBLE'] };
const BOX_COLUMNS = `found.confidence, found.bbox[1] AS x, found.bbox[2] AS y, found.bbox[3] AS width,
  found.bbox[4] AS height`;

/** A row for each thing that a frame lists under `key`. */
const listed = (key: 'detections' | 'lines', name: 'label' | 'text'): string => {
  const shape = {
    frame_index: 'BIGINT',
    result: { timestamp_ms: 'DOUBLE', [key]: [{ [name]: 'VARCHAR', ...BOX }] },
  };
  return `SELECT job_id, frame_index, timestamp_ms, found.${name}, ${BOX_COLUMNS}
    FROM (SELECT job_id, frame.frame_index, frame.result.timestamp_ms, unnest(frame.result.${key}) AS found
      FROM (SELECT ${JOB_ID}, ${struct(FRAME_LINE, shape)} AS frame FROM ${lines("getvariable('results')")}))
    WHERE frame_index IS NOT NULL`;
};

/**
 * Makes the views. `folder` holds the files under `video_jobs/` and, since DuckDB does not read from no file at all, an
 * empty file `none`. Jobs are read now; the results of those that were completed by then, when they are asked for.
 */
export const viewStatements = (folder: string): readonly string[] => {
  const files = (pattern: string): string => `glob('${folder}/video_jobs/${pattern}')`;
  return [
    `SET VARIABLE sidecars = (SELECT coalesce(list(file), []) FROM ${files(`${'?'.repeat(36)}.json`)})`,
    // Sorted, because a table that keeps the order of ten thousand files holds a row group for each.
    `CREATE TABLE jobs AS
      SELECT job.job_id, job.pipeline_id, coalesce(job.outcome.status, 'unfinished') AS status,
        job.options.frame_stride, job.options.max_frames, job.accepted_at AS created_at, job.outcome.ended_at,
        epoch_ms(job.outcome.ended_at) - epoch_ms(job.accepted_at) AS duration_ms,
        job.outcome.error_code, job.outcome.error_message, job.outcome.attempt, job.expired_at
      FROM (SELECT ${JOB_ID}, ${struct('line', SIDECAR)} AS job
        FROM ${lines(`['${folder}/none'] || getvariable('sidecars')`)})
      WHERE job.job_id = job_id
      ORDER BY ALL`,
    `SET VARIABLE results = ['${folder}/none'] || (SELECT coalesce(list(file ORDER BY file), []) FROM ${files('*_results.json')}
      SEMI JOIN (FROM jobs WHERE status = 'completed' AND expired_at IS NULL) kept
        ON parse_filename(file) = kept.job_id || '_results.json')`,
    `CREATE VIEW frames AS
      SELECT job_id, frame.frame_index, frame.result.timestamp_ms, frame.result.text,
        TRY(json_extract(${FRAME_LINE}, '$.result')) AS result
      FROM (SELECT ${JOB_ID}, line, ${struct(FRAME_LINE, FRAME)} AS frame FROM ${lines("getvariable('results')")})
      WHERE frame.frame_index IS NOT NULL`,
    `CREATE VIEW detections AS ${listed('detections', 'label')}`,
    `CREATE VIEW texts AS ${listed('lines', 'text')}`,
    `CREATE VIEW damaged AS
      SELECT job_id, frames AS readable_frames
      FROM (SELECT parse_filename(file.filename)[:36] AS job_id, any_value(file.size) AS size,
          coalesce(sum(strlen(line) + 1), 0) AS bytes, count(frame.frame_index) AS frames,
          count(line) FILTER (frame.frame_index IS NULL AND line <> '${FIRST_LINE}' AND line NOT IN ${LAST_LINES}) AS strange,
          count(line) FILTER (line IN ${LAST_LINES}) AS ends
        FROM read_blob(getvariable('results')) AS file
        LEFT JOIN (SELECT filename, line, ${struct(FRAME_LINE, FRAME)} AS frame
          FROM ${lines("getvariable('results')")}) AS content ON content.filename = file.filename
        WHERE NOT ends_with(file.filename, '/none')
        GROUP BY ALL)
      WHERE bytes <> size OR strange > 0 OR ends <> 1`,
  ];
};
