/**
 * The views, as SQL. They read results files line by line, one frame per line, so memory depends on the longest line and
 * not on the size of the file, which may be a gigabyte.
 */

/** Longest line in bytes; a longer one is skipped. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/**
 * Reads files as lines: CSV with one column, no quotes and a delimiter that JSON always escapes. Stated explicitly, so
 * that DuckDB does not sniff the files. A buffer of fewer than two of the longest lines loses lines at its edges, and so
 * do threads that share a file; several files are read in parallel anyway. Invalid UTF-8 loses only its own line.
 */
const lines = (files: string): string =>
  `read_csv(${files}, columns = {line: 'VARCHAR'}, filename = true, auto_detect = false, header = false,
    delim = chr(1), quote = '', escape = '', strict_mode = false, ignore_errors = true, parallel = false,
    max_line_size = ${MAX_LINE_BYTES}, buffer_size = ${2 * MAX_LINE_BYTES})`;

/** From the file name, so that a condition on one id opens only that file. */
const JOB_ID = 'parse_filename(filename)[:36] AS job_id';

/**
 * JSON as a struct; NULL if it is damaged. Unnesting a list of one keeps the optimizer from parsing a line again for each
 * column and condition.
 */
const struct = (json: string, shape: object): string => `unnest([TRY(from_json(${json}, '${JSON.stringify(shape)}'))])`;

const FRAME_LINE = `CASE WHEN starts_with(line, '{"frame_index":') THEN rtrim(line, ',') END`;
const FIRST_LINE = '{"results": [';
const LAST_LINES = `(']}', '{"results": []}')`;

const SIDECAR = {
  job_id: 'VARCHAR',
  pipeline_id: 'VARCHAR',
  options: { frame_stride: 'BIGINT', max_frames: 'BIGINT' },
  file_name: 'VARCHAR',
  tag: 'VARCHAR',
  accepted_at: 'TIMESTAMPTZ',
  outcome: {
    status: 'VARCHAR',
    error_code: 'VARCHAR',
    error_message: 'VARCHAR',
    attempt: 'INTEGER',
    ended_at: 'TIMESTAMPTZ',
    media: { width: 'BIGINT', height: 'BIGINT', duration_ms: 'DOUBLE', frame_rate: 'DOUBLE', codec: 'VARCHAR' },
  },
  expired_at: 'TIMESTAMPTZ',
};
const FRAME = { frame_index: 'BIGINT', result: { timestamp_ms: 'DOUBLE', text: 'VARCHAR' } };
const SEGMENT_LINE = `CASE WHEN starts_with(line, '{"kind":') THEN rtrim(line, ',') END`;
const SEGMENT = {
  kind: 'VARCHAR',
  start_ms: 'DOUBLE',
  end_ms: 'DOUBLE',
  text: 'VARCHAR',
  label: 'VARCHAR',
  max_count: 'BIGINT',
  confidence: 'DOUBLE',
  bbox: ['DOUBLE'],
  frames: 'BIGINT',
  frame_index: 'BIGINT',
  track_id: 'BIGINT',
};
const SEGMENTS = `(SELECT ${JOB_ID}, ${struct(SEGMENT_LINE, SEGMENT)} AS found FROM ${lines("getvariable('segments')")})`;

const BOX = { confidence: 'DOUBLE', bbox: ['DOUBLE'] };
const BOX_COLUMNS = `found.confidence, found.bbox[1] AS x, found.bbox[2] AS y, found.bbox[3] AS width,
  found.bbox[4] AS height`;

/** One row per element of the list `key` of a frame. */
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
 * Returns the statements that create the views. `folder` contains `video_jobs/` and an empty file `none`, because DuckDB
 * cannot read an empty list of files. Jobs are read at once; results of the completed jobs are read by each query.
 */
export const viewStatements = (folder: string): readonly string[] => {
  const files = (pattern: string): string => `glob('${folder}/video_jobs/${pattern}')`;
  const ofKeptJobs = (ending: string): string =>
    `['${folder}/none'] || (SELECT coalesce(list(file ORDER BY file), []) FROM ${files(`*${ending}`)}
      SEMI JOIN (FROM jobs WHERE status = 'completed' AND expired_at IS NULL) kept
        ON parse_filename(file) = kept.job_id || '${ending}')`;
  return [
    `SET VARIABLE sidecars = (SELECT coalesce(list(file), []) FROM ${files(`${'?'.repeat(36)}.json`)})`,
    // Sorted, because keeping the order of 10,000 files would need a row group for each.
    `CREATE TABLE jobs AS
      SELECT job.job_id, job.pipeline_id, coalesce(job.outcome.status, 'unfinished') AS status,
        job.options.frame_stride, job.options.max_frames, job.accepted_at AS created_at, job.outcome.ended_at,
        epoch_ms(job.outcome.ended_at) - epoch_ms(job.accepted_at) AS duration_ms,
        job.outcome.error_code, job.outcome.error_message, job.outcome.attempt, job.expired_at, job.file_name, job.tag,
        job.outcome.media.width, job.outcome.media.height, job.outcome.media.duration_ms AS video_duration_ms,
        job.outcome.media.frame_rate, job.outcome.media.codec
      FROM (SELECT ${JOB_ID}, ${struct('line', SIDECAR)} AS job
        FROM ${lines(`['${folder}/none'] || getvariable('sidecars')`)})
      WHERE job.job_id = job_id
      ORDER BY ALL`,
    `SET VARIABLE results = ${ofKeptJobs('_results.json')}`,
    `SET VARIABLE segments = ${ofKeptJobs('_segments.json')}`,
    `CREATE VIEW frames AS
      SELECT job_id, frame.frame_index, frame.result.timestamp_ms, frame.result.text,
        TRY(json_extract(${FRAME_LINE}, '$.result')) AS result
      FROM (SELECT ${JOB_ID}, line, ${struct(FRAME_LINE, FRAME)} AS frame FROM ${lines("getvariable('results')")})
      WHERE frame.frame_index IS NOT NULL`,
    `CREATE VIEW detections AS ${listed('detections', 'label')}`,
    `CREATE VIEW texts AS ${listed('lines', 'text')}`,
    `CREATE VIEW segments AS
      SELECT job_id, found.kind, found.start_ms, found.end_ms, found.text, found.label, found.max_count, ${BOX_COLUMNS},
        found.frames, found.frame_index
      FROM ${SEGMENTS}
      WHERE found.kind IS NOT NULL AND found.track_id IS NULL`,
    `CREATE VIEW tracks AS
      SELECT job_id, found.track_id, found.label, found.start_ms, found.end_ms, ${BOX_COLUMNS}, found.frames
      FROM ${SEGMENTS}
      WHERE found.track_id IS NOT NULL`,
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
