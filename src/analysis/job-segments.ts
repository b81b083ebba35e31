import { ServiceError } from '../errors.ts';
import type { MediaFacts, Region } from '../job.ts';
import type { Log } from '../log.ts';
import { findSegments, type Findings, type SegmentOptions } from '../segments/segment-finder.ts';
import type { Segment } from '../segments/segment.ts';
import { isDocumentHead, segmentsDocument, segmentsOf, type SegmentKind } from '../segments/segments-document.ts';
import type { StorageService } from '../storage/storage-service.ts';
import { extentOf, type FrameSize } from './frame-extent.ts';
import { storedFrames, storedLines } from './results-document.ts';
import { storedSegments } from './stored-segments.ts';
import { later } from './store-analysis.ts';

/** Stored files of a completed job. */
export interface StoredJob {
  readonly resultsPath: string;
  readonly segmentsPath: string;
  /** Null if unknown. */
  readonly media: MediaFacts | null;
}

export interface SegmentQuery extends Omit<SegmentOptions, 'region'> {
  readonly kind: SegmentKind;
  /** As fractions of the displayed frame. */
  readonly region?: Region | undefined;
}

/** Segments of completed jobs: the stored ones, computed if they are missing, or computed again for other options. */
export class JobSegments {
  readonly #storage: StorageService;
  readonly #log: Log;
  /** One computation at a time, because each uses the thread that handles requests. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ storage, log }: { readonly storage: StorageService; readonly log: Log }) {
    this.#storage = storage;
    this.#log = log;
  }

  /** Rejects with `results_expired` if the files were deleted meanwhile. */
  async find(job: StoredJob, { kind, ...options }: SegmentQuery): Promise<AsyncIterable<Segment>> {
    const isUsual = Object.values(options).every((value) => value === undefined);
    const stored = isUsual ? await this.#openStored(job.segmentsPath) : undefined;
    if (stored !== undefined) return storedSegments(stored, kind);
    const findings = await this.#inTurn(() => (isUsual ? this.#makeUsual(job) : this.#make(job, options)));
    return later(segmentsOf(findings, kind));
  }

  /** Returns the local path of the stored segments, created if missing. Rejects if they cannot be stored. */
  async stored(job: StoredJob): Promise<string> {
    const path = await this.#openStored(job.segmentsPath);
    if (path !== undefined) return path;
    await this.#inTurn(() => this.#makeUsual(job));
    return this.#storage.loadFile(job.segmentsPath);
  }

  async #makeUsual(job: StoredJob): Promise<Findings> {
    const findings = await this.#make(job, {});
    await this.#store(job, findings);
    return findings;
  }

  async #make(job: StoredJob, { region, ...options }: Omit<SegmentQuery, 'kind'>): Promise<Findings> {
    const media = job.media ?? undefined;
    const path = await this.#resultsOf(job);
    const pixels = region === undefined ? undefined : pixelsOf(region, await sizeOf(media, path));
    return findSegments(storedFrames(path), { ...options, region: pixels }, media);
  }

  /** Segments are derived, so a failure to store them does not matter. */
  async #store(job: StoredJob, findings: Findings): Promise<void> {
    try {
      await this.#storage.saveFile(later(segmentsDocument(findings, job.media ?? undefined)), job.segmentsPath);
      // The files may have been deleted meanwhile; results are deleted first.
      await this.#storage.loadFile(job.resultsPath).catch(async (error: unknown) => {
        await this.#storage.deleteFile(job.segmentsPath);
        throw error;
      });
    } catch (error) {
      this.#log.warn({ err: error, path: job.segmentsPath }, 'segments not stored');
    }
  }

  /** Returns undefined if there are none, or those of another version. */
  async #openStored(segmentsPath: string): Promise<string | undefined> {
    try {
      const path = await this.#storage.loadFile(segmentsPath);
      for await (const line of storedLines(path)) return isDocumentHead(line) ? path : undefined;
      return undefined;
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'file_missing') return undefined;
      throw error;
    }
  }

  async #resultsOf({ resultsPath }: StoredJob): Promise<string> {
    try {
      return await this.#storage.loadFile(resultsPath);
    } catch (cause) {
      if (!(cause instanceof ServiceError) || cause.code !== 'file_missing') throw cause;
      throw new ServiceError('results_expired', 'The results of this job have just been deleted', { cause });
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const ended = this.#turn.then(work, work);
    this.#turn = ended.catch(() => undefined);
    return ended;
  }
}

async function sizeOf(media: MediaFacts | undefined, resultsPath: string): Promise<FrameSize> {
  const { width = null, height = null } = media ?? {};
  return width === null || height === null ? extentOf(storedFrames(resultsPath)) : { width, height };
}

function pixelsOf([x, y, width, height]: Region, frame: FrameSize): NonNullable<SegmentOptions['region']> {
  return [x * frame.width, y * frame.height, width * frame.width, height * frame.height];
}
