import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { jobIdSchema, type JobId } from '../job.ts';
import { editDistance } from '../segments/edit-distance.ts';
import { parseDocumentLine } from '../segments/segments-document.ts';
import type { WantedWord } from './matched-documents.ts';
import { similarWords } from './near-words.ts';
import {
  hitsStatement,
  listedStatement,
  segmentsStatement,
  type ListedDocument,
  type Wanted,
} from './page-statements.ts';
import { termsOf } from './query-text.ts';
import { LABEL_MARK } from './schema.ts';
import type { SearchHit, SearchQuery } from './video-search.ts';

/** Maximum number of words in a query; each is a bit of a number. */
const MAX_WORDS = 30;
const NOT_FOUND: WantedWord = { found: [] };
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
    const phrases = [...new Set(terms)].map((term) => term.split(' '));
    const count = phrases.flat().length;
    if (count > MAX_WORDS) {
      throw new ServiceError('invalid_request', `q has ${count} words; at most ${MAX_WORDS} are searched`);
    }
    // Reads within one transaction, so that all statements see the same state.
    await this.#connection.run('BEGIN');
    try {
      const asked = [...new Set(phrases.flat())];
      const labels = label === undefined ? [] : [LABEL_MARK + label];
      const words = await this.#wordsOf([...asked, ...labels]);
      if (words.some(({ found }) => found.length === 0)) return [];
      const wanted = {
        terms: phrases.map((phrase) => phrase.map((word) => words[asked.indexOf(word)] ?? NOT_FOUND)),
        labelWord: words[asked.length]?.found[0]?.number,
      };
      return await this.#hits(wanted, options);
    } finally {
      await this.#connection.run('ROLLBACK');
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
    const rows = (await this.#rows(similarWords(asked))).map((row) => wordSchema.parse(row));
    return asked.map((word, at) => ({
      found: rows
        .filter((row) => row.asked === at && editDistance(row.word, word, 1) <= 1)
        .map((row) => ({ number: row.word_no, isExact: row.word === word })),
    }));
  }

  async #hits(wanted: Wanted, options: ReadOptions): Promise<readonly SearchHit[]> {
    const hits = (await this.#rows(hitsStatement(wanted, options))).map((row) => hitSchema.parse(row));
    if (hits.length === 0) return [];
    const videos = hits.map(({ video }) => video);
    const listed = (await this.#rows(listedStatement(wanted, videos))).map((row) => listedSchema.parse(row));
    const segments = await this.#segmentsOf(listed.filter(({ kind }) => kind !== 'name'));
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

  async #segmentsOf(listed: readonly ListedDocument[]) {
    if (listed.length === 0) return new Map();
    const rows = await this.#rows(segmentsStatement(listed));
    return new Map(
      rows.map((row) => {
        const { doc, segment } = segmentSchema.parse(row);
        return [doc, parseDocumentLine(segment)];
      }),
    );
  }

  async #rows(sql: string): Promise<readonly unknown[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowObjectsJS();
  }
}
