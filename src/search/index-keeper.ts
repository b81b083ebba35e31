import { messageOf, ServiceError } from '../errors.ts';
import type { JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { IndexStepListener } from './index-step.ts';
import type { IndexWriter } from './index-writer.ts';
import type { SearchableVideo, VideoSource } from './video-search.ts';

/** Jobs compared with the index in one statement. */
const JOBS_AT_ONCE = 5_000;
/** Files opened at once. */
const FILES_AT_ONCE = 20;
/** Videos added in one transaction. */
const VIDEOS_AT_ONCE = 200;

export interface IndexKeeperOptions {
  readonly writer: IndexWriter;
  readonly source: VideoSource;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onStep?: IndexStepListener | undefined;
  /** Called between the transactions of a reconciliation. */
  readonly beforeBatch: () => Promise<void>;
}

/** Makes the index agree with the jobs. Rejects if the index cannot be written, or with the signal's reason. */
export class IndexKeeper {
  readonly #options: IndexKeeperOptions;

  constructor(options: IndexKeeperOptions) {
    this.#options = options;
  }

  /** Adds missing videos and removes deleted ones, after any crash or repair. */
  async reconcile(): Promise<void> {
    const { source, writer, signal, beforeBatch } = this.#options;
    for (let afterSeq = 0; ;) {
      signal.throwIfAborted();
      const jobs = await source.completed(afterSeq, JOBS_AT_ONCE);
      const unknown = await writer.missing(jobs.map(({ jobId }) => jobId));
      const gone = new Set(await source.gone(unknown));
      const missing = unknown.filter((jobId) => !gone.has(jobId));
      for (let from = 0; from < missing.length; from += VIDEOS_AT_ONCE) {
        await beforeBatch();
        await this.add(missing.slice(from, from + VIDEOS_AT_ONCE));
      }
      const last = jobs.at(-1);
      if (last === undefined) break;
      afterSeq = last.acceptedSeq;
    }
    for (let after: JobId | undefined; ;) {
      signal.throwIfAborted();
      const jobs = await writer.jobs(after, JOBS_AT_ONCE);
      await this.remove(await source.gone(jobs));
      after = jobs.at(-1);
      if (after === undefined) break;
    }
    await this.sortPostings();
  }

  async add(jobIds: readonly JobId[]): Promise<void> {
    const { writer, signal, onStep } = this.#options;
    for (let from = 0; from < jobIds.length; from += VIDEOS_AT_ONCE) {
      const videos = await this.#open(jobIds.slice(from, from + VIDEOS_AT_ONCE));
      signal.throwIfAborted();
      try {
        await writer.add(videos, () => onStep?.('index: before commit of added videos'));
      } catch (error) {
        if (!isOfAFile(error)) throw error;
        for (const video of videos) await this.#addAlone(video);
      }
      onStep?.('index: videos added');
    }
  }

  async remove(jobIds: readonly JobId[]): Promise<void> {
    const { writer, onStep } = this.#options;
    if (jobIds.length === 0) return;
    await writer.remove(jobIds, () => onStep?.('index: before commit of removed videos'));
    onStep?.('index: videos removed');
  }

  /** Number of videos in the index. */
  count(): Promise<number> {
    return this.#options.writer.count();
  }

  sortPostings(): Promise<void> {
    const { writer, onStep } = this.#options;
    return writer.sortPostings(() => onStep?.('index: before commit of sorted postings'));
  }

  async #open(jobIds: readonly JobId[]): Promise<readonly SearchableVideo[]> {
    const { source, log, signal } = this.#options;
    const open = async (jobId: JobId): Promise<SearchableVideo | undefined> => {
      try {
        return await source.open(jobId);
      } catch (error) {
        if (error instanceof ServiceError && error.code === 'store_unavailable') throw error;
        log.warn(
          { job_id: jobId, reason: messageOf(error) },
          'video not added to the search index; tried at next start',
        );
        return undefined;
      }
    };
    const videos: (SearchableVideo | undefined)[] = [];
    for (let from = 0; from < jobIds.length; from += FILES_AT_ONCE) {
      signal.throwIfAborted();
      videos.push(...(await Promise.all(jobIds.slice(from, from + FILES_AT_ONCE).map(open))));
    }
    return videos.filter((video) => video !== undefined);
  }

  /** The file may have been deleted since it was opened. */
  async #addAlone(video: SearchableVideo): Promise<void> {
    try {
      await this.#options.writer.add([video]);
    } catch (error) {
      if (!isOfAFile(error)) throw error;
      const { jobId } = video;
      this.#options.log.warn({ job_id: jobId, reason: messageOf(error) }, 'segments not added to the search index');
    }
  }
}

/** DuckDB's message about an unreadable file of segments. */
function isOfAFile(error: unknown): boolean {
  return messageOf(error).includes('_segments.json');
}
