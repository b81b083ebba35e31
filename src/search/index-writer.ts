import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { jobIdSchema, type JobId } from '../job.ts';
import { LABEL_MARK } from './schema.ts';
import type { SearchableVideo } from './video-search.ts';

/** Longest line of a document in bytes; a longer one is not found. The buffer must hold two. */
const MAX_LINE_BYTES = 4 * 1024 ** 2;
/** Number, and share of all, below which unsorted postings are few. */
const FEW_UNSORTED = 250_000;
const UNSORTED_PART = 0.2;
/** Tables that are sorted, with the columns of their order. */
const ORDERS = { words: 'word', endings: 'ending', postings: 'word_no, doc, place' };

const idSchema = z.object({ job_id: jobIdSchema });
const countSchema = z.object({ sorted: z.bigint().transform(Number), postings: z.bigint().transform(Number) });

/** The only writer of the index. Every change is one transaction; transactions must not overlap. */
export class IndexWriter {
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /**
   * Adds videos to the index, or replaces them.
   * @param beforeCommit called when everything is written and not durable yet
   */
  async add(videos: readonly SearchableVideo[], beforeCommit?: () => void): Promise<void> {
    if (videos.length === 0) return;
    await this.#inTransaction(async () => {
      await this.#delete(videos.map(({ jobId }) => jobId));
      await this.#run(`CREATE OR REPLACE TEMP TABLE new_videos AS
        SELECT (row_number() OVER () + (SELECT coalesce(max(video), 0) FROM videos))::INTEGER AS video, *
        FROM (VALUES ${videos.map((video) => rowOf(video)).join()})
          given(job_id, pipeline_id, file_name, tag, created_at, path)`);
      await this.#run(`INSERT INTO videos SELECT video, job_id, pipeline_id, file_name, created_at FROM new_videos`);
      await this.#run(newDocuments(videos.map(({ segmentsPath }) => segmentsPath)));
      await this.#run('INSERT INTO documents SELECT doc, video, kind, start_ms, end_ms, segment FROM new_documents');
      await this.#run(`CREATE OR REPLACE TEMP TABLE new_postings AS
        SELECT video, doc, unnest(words) AS word, generate_subscripts(words, 1)::INTEGER AS place
        FROM (SELECT video, doc,
            CASE WHEN kind = 'object' THEN ['${LABEL_MARK}' || folded] ELSE string_split(folded, ' ') END AS words
          FROM new_documents WHERE folded <> '')`);
      await this.#run(`CREATE OR REPLACE TEMP TABLE new_words AS
        SELECT (row_number() OVER () + (SELECT coalesce(max(word_no), 0) FROM words))::INTEGER AS word_no, word
        FROM (SELECT DISTINCT word FROM new_postings) found ANTI JOIN words USING (word)`);
      await this.#run('INSERT INTO words SELECT word_no, word FROM new_words');
      await this.#run('INSERT INTO endings SELECT word_no, reverse(word) FROM new_words');
      await this.#run(`INSERT INTO postings
        SELECT word_no, video, doc, place FROM new_postings JOIN words USING (word) ORDER BY word_no, doc, place`);
      beforeCommit?.();
    });
    for (const table of ['videos', 'documents', 'postings', 'words']) await this.#run(`DROP TABLE new_${table}`);
  }

  /** Deletes everything about these jobs. */
  async remove(jobIds: readonly JobId[], beforeCommit?: () => void): Promise<void> {
    if (jobIds.length === 0) return;
    await this.#inTransaction(async () => {
      await this.#delete(jobIds);
      beforeCommit?.();
    });
  }

  /** Returns those of these jobs that the index does not have. */
  async missing(jobIds: readonly JobId[]): Promise<readonly JobId[]> {
    if (jobIds.length === 0) return [];
    const found = await this.#connection.runAndReadAll(
      `SELECT job_id FROM (SELECT unnest([${listOf(jobIds)}]) AS job_id) ANTI JOIN videos USING (job_id) ORDER BY job_id`,
    );
    return found.getRowObjectsJS().map((row) => idSchema.parse(row).job_id);
  }

  /** Returns the jobs in the index in the order of their ids, after this one. */
  async jobs(after: JobId | undefined, limit: number): Promise<readonly JobId[]> {
    const from = after === undefined ? '' : `WHERE job_id > ${listOf([after])}`;
    const found = await this.#connection.runAndReadAll(
      `SELECT job_id FROM videos ${from} ORDER BY job_id LIMIT ${limit}`,
    );
    return found.getRowObjectsJS().map((row) => idSchema.parse(row).job_id);
  }

  async count(): Promise<number> {
    const found = await this.#connection.runAndReadAll('SELECT count(*)::INTEGER FROM videos');
    return z.number().parse(found.getRowsJS()[0]?.[0]);
  }

  /** Sorts words and postings again if many postings are out of order. */
  async sortPostings(beforeCommit?: () => void): Promise<void> {
    const found = await this.#connection.runAndReadAll(
      'SELECT sorted, (SELECT count(*) FROM postings) AS postings FROM about',
    );
    const { sorted, postings } = countSchema.parse(found.getRowObjectsJS()[0]);
    if (Math.abs(postings - sorted) <= Math.max(FEW_UNSORTED, postings * UNSORTED_PART)) return;
    await this.#inTransaction(async () => {
      for (const [table, order] of Object.entries(ORDERS)) {
        await this.#run(`CREATE TABLE sorted AS SELECT * FROM ${table} ORDER BY ${order}`);
        await this.#run(`DROP TABLE ${table}`);
        await this.#run(`ALTER TABLE sorted RENAME TO ${table}`);
      }
      await this.#run('UPDATE about SET sorted = (SELECT count(*) FROM postings)');
      beforeCommit?.();
    });
  }

  async #delete(jobIds: readonly JobId[]): Promise<void> {
    const found = await this.#connection.runAndReadAll(`SELECT video FROM videos WHERE job_id IN (${listOf(jobIds)})`);
    const videos = found.getRowsJS().map(([video]) => Number(video));
    if (videos.length === 0) return;
    await this.#run(`CREATE OR REPLACE TEMP TABLE lost_words AS
      SELECT word_no FROM postings
      WHERE word_no IN (SELECT word_no FROM postings WHERE video IN (${videos.join()}))
      GROUP BY word_no HAVING bool_and(video IN (${videos.join()}))`);
    for (const table of ['words', 'endings']) {
      await this.#run(`DELETE FROM ${table} WHERE word_no IN (SELECT word_no FROM lost_words)`);
    }
    for (const table of ['postings', 'documents', 'videos']) {
      await this.#run(`DELETE FROM ${table} WHERE video IN (${videos.join()})`);
    }
  }

  async #inTransaction(work: () => Promise<void>): Promise<void> {
    await this.#run('BEGIN');
    try {
      await work();
      await this.#run('COMMIT');
    } catch (error) {
      // The failure may have ended it.
      await this.#run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async #run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }
}

/**
 * Reads the documents of `new_videos`. Segments are read by line, so that memory does not grow with the length of a
 * video: as CSV with one column, no quotes and a delimiter that JSON always escapes. A scene of one line equals its
 * text segment and is omitted; the words of other scenes are those of their lines.
 */
function newDocuments(paths: readonly string[]): string {
  return `CREATE OR REPLACE TEMP TABLE new_documents AS
    SELECT row_number() OVER () + (SELECT coalesce(max(doc), 0) FROM documents) AS doc, * FROM (
      SELECT video, 'name' AS kind, 0.0::DOUBLE AS start_ms, 0.0::DOUBLE AS end_ms,
        folded(concat_ws(' ', file_name, tag)) AS folded, NULL AS segment
      FROM new_videos WHERE coalesce(file_name, tag) IS NOT NULL
      UNION ALL
      SELECT video, found[1] AS kind, found[2]::DOUBLE AS start_ms, found[3]::DOUBLE AS end_ms,
        folded(coalesce(found[4], found[5])) AS folded, segment
      FROM (SELECT filename, segment,
          json_extract_string(segment, ['$.kind', '$.start_ms', '$.end_ms', '$.text', '$.label']) AS found
        FROM (SELECT filename, rtrim(line, ',') AS segment
          FROM read_csv([${paths.map((path) => quoted(literalGlob(path))).join()}], columns = {line: 'VARCHAR'}, filename = true,
            auto_detect = false, header = false, delim = chr(1), quote = '', escape = '', strict_mode = false,
            ignore_errors = true, parallel = false, max_line_size = ${MAX_LINE_BYTES},
            buffer_size = ${2 * MAX_LINE_BYTES})
          WHERE starts_with(line, '{"kind":'))
        WHERE json_valid(segment)) lines
      JOIN new_videos ON parse_filename(path) = parse_filename(filename)
      WHERE found[1] <> 'scene' OR contains(found[4], chr(10))
      ORDER BY video)`;
}

/** DuckDB treats a path as a pattern. */
function literalGlob(path: string): string {
  return path.replaceAll(/[*?[]/g, '[$&]');
}

function rowOf({ jobId, pipelineId, fileName, tag, createdAt, segmentsPath }: SearchableVideo): string {
  const texts = [pipelineId, fileName, tag].map((text) => (text === null ? 'NULL::VARCHAR' : quoted(text)));
  return `(${listOf([jobId])}, ${texts.join()}, TIMESTAMP '${createdAt.replace('Z', '')}', ${quoted(segmentsPath)})`;
}

/** Ids as literals, because with constants DuckDB skips row groups that cannot match. */
function listOf(jobIds: readonly JobId[]): string {
  return jobIds.map((jobId) => `'${jobIdSchema.parse(jobId)}'::UUID`).join();
}

/** Returns a text as an SQL literal. A lone surrogate, which UTF-8 cannot encode, becomes U+FFFD. */
function quoted(text: string): string {
  return `'${text.toWellFormed().replaceAll("'", "''").replaceAll('\0', '')}'`;
}
