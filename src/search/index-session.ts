import { IndexFile } from './index-file.ts';
import { IndexReader, type ReadOptions } from './index-reader.ts';
import { IndexWriter } from './index-writer.ts';
import type { SearchHit } from './video-search.ts';

/** Milliseconds between interrupts, which are repeated because one between two statements is lost. */
const INTERRUPT_MS = 20;

/** One opening of the index, with a connection for writes and one for searches. */
export class IndexSession {
  readonly writer: IndexWriter;
  readonly #file: IndexFile;
  readonly #reader: IndexReader;
  readonly #interrupt: () => void;
  readonly #searches = new Set<Promise<unknown>>();
  #isClosed = false;

  private constructor(
    file: IndexFile,
    parts: Pick<IndexSession, 'writer'> & { reader: IndexReader; interrupt: () => void },
  ) {
    this.#file = file;
    this.writer = parts.writer;
    this.#reader = parts.reader;
    this.#interrupt = parts.interrupt;
  }

  static async open(path: string): Promise<IndexSession> {
    const file = await IndexFile.open(path);
    try {
      const [writing, reading] = [await file.connect(), await file.connect()];
      return new IndexSession(file, {
        writer: new IndexWriter(writing),
        reader: await IndexReader.open(reading),
        interrupt: () => {
          writing.interrupt();
          reading.interrupt();
        },
      });
    } catch (error) {
      file.close();
      throw error;
    }
  }

  async search(options: ReadOptions): Promise<readonly SearchHit[]> {
    const search = this.#reader.search(options);
    this.#searches.add(search);
    try {
      return await search;
    } finally {
      this.#searches.delete(search);
    }
  }

  /** Interrupts running statements until this work has ended. */
  async interruptDuring(work: Promise<unknown>): Promise<void> {
    const timer = setInterval(() => this.#isClosed || this.#interrupt(), INTERRUPT_MS);
    try {
      await work;
    } finally {
      clearInterval(timer);
    }
  }

  /** Ends running searches. The writer must have ended. */
  async close(): Promise<void> {
    await this.interruptDuring(Promise.allSettled(this.#searches));
    this.#isClosed = true;
    this.#file.close();
  }
}
