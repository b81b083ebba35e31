import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { jobIdSchema, type JobId } from '../job.ts';
import { editDistance } from '../segments/edit-distance.ts';
import { parseDocumentLine } from '../segments/segments-document.ts';
import { halvesOf, nearCondition } from './near-words.ts';
import { matchedDocuments, type WantedPhrase, type WantedWord } from './matched-documents.ts';
import { hitsStatement, listedStatement } from './page-statements.ts';
import { termsOf } from './query-text.ts';
import { LABEL_MARK } from './schema.ts';
import type { SearchHit, SearchQuery } from './video-search.ts';

/** Maximum number of words in a query; each is a bit of a number. */
const MAX_WORDS = 30;
/** Separates texts that are folded together. */
const SEPARATOR = '\n';

const foldedSchema = z.object({ folded: z.array(z.string()) });
const wordSchema = z.object({ asked: z.number(), word_no: z.number(), word: z.string() });
const hitSchema = z.object({
  video: z.number(),
  job_id: jobIdSchema,
  file_name: z.string().nullable(),
  created_ms: z.number(),
  is_exact: z.boolean(),
});
const listedSchema = z.object({
  doc: z.bigint(),
  video: z.number(),
  kind: z.string(),
  matches: z.bigint().transform(Number),
});
const segmentSchema = z.object({ doc: z.bigint(), segment: z.string() });

export interface ReadOptions extends SearchQuery {
  /** Jobs in the index that must not be found. */
  readonly without: ReadonlySet<JobId>;
}

/**
 * Searches over one connection, one at a time, because each running statement blocks a thread of libuv's small pool.
 */
export class IndexReader {
  readonly #connection: DuckDBConnection;
  readonly #folding: DuckDBPreparedStatement;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(connection: DuckDBConnection, folding: DuckDBPreparedStatement) {
    this.#connection = connection;
    this.#folding = folding;
  }

  static async open(connection: DuckDBConnection): Promise<IndexReader> {
    const folding = await connection.prepare(
      `SELECT list_transform(string_split($1::VARCHAR, '${SEPARATOR}'), lambda text: folded(text)) AS folded`,
    );
    return new IndexReader(connection, folding);
  }

  /**
   * Returns one hit more than the limit if there are more. Rejects with `invalid_request` if the text has no word or
   * too many.
   */
  search(options: ReadOptions): Promise<readonly SearchHit[]> {
    const result = this.#last.then(() => this.#search(options));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #search(options: ReadOptions): Promise<readonly SearchHit[]> {
    const { terms, label } = await this.#fold(options);
    const phrases = terms.map((term) => term.split(' '));
    const asked = [...new Set(phrases.flat())];
    if (asked.length > MAX_WORDS) {
      throw new ServiceError('invalid_request', `q has ${asked.length} words; at most ${MAX_WORDS} are searched`);
    }
    const words = await this.#wordsOf(asked);
    const labelWord = label === undefined ? undefined : await this.#wordNumber(LABEL_MARK + label);
    const isHopeless =
      words.some(({ found }) => found.length === 0) || (label !== undefined && labelWord === undefined);
    if (isHopeless) return [];
    // Reads within one transaction, so that all statements see the same state.
    await this.#connection.run('BEGIN');
    try {
      const wanted: readonly WantedPhrase[] = phrases
        .filter((phrase) => phrase.length > 1)
        .map((phrase) => ({ text: phrase.join(' '), words: phrase.map((word) => spellings(word, words)) }));
      for (const statement of matchedDocuments({ words, phrases: wanted, labelWord })) {
        await this.#connection.run(statement);
      }
      return await this.#hits(options, [words.length > 0, labelWord !== undefined].filter(Boolean).length);
    } finally {
      await this.#connection.run('ROLLBACK'); // also forgets the tables of this search
    }
  }

  /** The words of each term as the index has them. */
  async #fold({ text, label }: SearchQuery) {
    const terms = text === undefined ? [] : termsOf(text);
    this.#folding.bindVarchar(
      1,
      [...terms, label ?? ''].map((given) => given.replaceAll(SEPARATOR, ' ')).join(SEPARATOR),
    );
    const [row] = (await this.#folding.runAndReadAll()).getRowObjectsJS();
    const { folded } = foldedSchema.parse(row);
    const foldedTerms = folded.slice(0, -1).filter((term) => term !== '');
    if (text !== undefined && foldedTerms.length === 0) {
      throw new ServiceError('invalid_request', 'q must contain a letter or a digit');
    }
    return { terms: foldedTerms, label: label === undefined ? undefined : folded.at(-1) };
  }

  async #wordsOf(asked: readonly string[]): Promise<readonly WantedWord[]> {
    if (asked.length === 0) return [];
    const selects = asked.map((word, at) => {
      const halves = halvesOf(word);
      const near = halves === undefined ? '' : ` OR (${nearCondition(word, halves)})`;
      return `SELECT ${at} AS asked, word_no, word FROM words WHERE word = '${word}'${near}`;
    });
    const rows = (await this.#rows(selects.join(' UNION ALL '))).map((row) => wordSchema.parse(row));
    return asked.map((word, at) => ({
      word,
      found: rows
        .filter((row) => row.asked === at && editDistance(row.word, word, 1) <= 1)
        .map((row) => ({ number: row.word_no, word: row.word, isExact: row.word === word })),
    }));
  }

  async #wordNumber(word: string): Promise<number | undefined> {
    const [row] = await this.#rows('SELECT 0 AS asked, word_no, word FROM words WHERE word = $1', [word]);
    return row === undefined ? undefined : wordSchema.parse(row).word_no;
  }

  async #hits(options: ReadOptions, parts: number): Promise<readonly SearchHit[]> {
    const hits = (await this.#rows(hitsStatement(options, parts))).map((row) => hitSchema.parse(row));
    if (hits.length === 0) return [];
    const listed = (await this.#rows(listedStatement(hits.map(({ video }) => video)))).map((row) =>
      listedSchema.parse(row),
    );
    const documents = listed.filter(({ kind }) => kind !== 'name').map(({ doc }) => doc);
    const segments = await this.#segmentsOf(documents);
    return hits.map(({ video, job_id: jobId, file_name: fileName, created_ms: createdMs, is_exact: isExact }) => {
      const mine = listed.filter((document) => document.video === video);
      return {
        jobId,
        fileName,
        createdAt: new Date(createdMs).toISOString(),
        isExact,
        isInName: mine.some(({ kind }) => kind === 'name'),
        matches: mine.find(({ kind }) => kind !== 'name')?.matches ?? 0,
        segments: mine.flatMap(({ doc }) => segments.get(doc) ?? []),
      };
    });
  }

  async #segmentsOf(documents: readonly bigint[]) {
    if (documents.length === 0) return new Map();
    const rows = await this.#rows(`SELECT doc, segment FROM documents WHERE doc IN (${documents.join()})`);
    return new Map(
      rows.map((row) => {
        const { doc, segment } = segmentSchema.parse(row);
        return [doc, parseDocumentLine(segment)];
      }),
    );
  }

  async #rows(sql: string, values: (string | null)[] = []): Promise<readonly unknown[]> {
    return (await this.#connection.runAndReadAll(sql, values)).getRowObjectsJS();
  }
}

function spellings(word: string, words: readonly WantedWord[]): readonly string[] {
  return words.find((wanted) => wanted.word === word)?.found.map((found) => found.word) ?? [];
}
