import { ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { VideoPictureService } from '../pipeline/picture-service.ts';
import type { Scene } from '../segments/segment.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobSegments, StoredJob } from './job-segments.ts';
import { makeThumbnails, thumbnailFrames, type SeenFrame } from './make-thumbnails.ts';
import { storedFrames } from './results-document.ts';
import { readThumbnail, thumbnailsDocument } from './thumbnails-document.ts';

/** Stored files of a completed job, and how its video was decoded. */
export interface PicturedJob extends StoredJob {
  readonly videoPath: string;
  readonly thumbnailsPath: string;
  readonly keyframesOnly: boolean;
}

export interface JobThumbnailsOptions {
  readonly storage: StorageService;
  readonly segments: Pick<JobSegments, 'find'>;
  readonly pictures: VideoPictureService;
  readonly log: Log;
}

/** Thumbnails of completed jobs: the stored ones, or created if missing. */
export class JobThumbnails {
  readonly #options: JobThumbnailsOptions;
  /** Those being created, by path, because several requests may come at once. */
  readonly #making = new Map<string, Promise<void>>();
  /** One video at a time, because the same processes make stills. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: JobThumbnailsOptions) {
    this.#options = options;
  }

  /**
   * Returns the JPEG of a frame, or of the first analysed one. Rejects with `picture_not_found` if the job has none of
   * this frame, with `video_missing` or `results_expired` if the files were deleted meanwhile, and with the errors of
   * pictures.
   */
  async find(job: PicturedJob, frame: number | 'first'): Promise<Uint8Array> {
    const found = await this.#read(job, frame);
    if (found instanceof Uint8Array) return found;
    if (found === undefined) await this.#made(job);
    const made = found === undefined ? await this.#read(job, frame) : found;
    if (made instanceof Uint8Array) return made;
    const what =
      frame === 'first' ? 'no frame' : `no picture of frame ${frame}: there is one of each scene's first frame`;
    throw new ServiceError('picture_not_found', `This job has ${what}`);
  }

  /** Null: not among the stored ones. Undefined: none are stored, or those of another version. */
  async #read({ thumbnailsPath }: PicturedJob, frame: number | 'first'): Promise<Uint8Array | null | undefined> {
    try {
      return await readThumbnail(await this.#options.storage.loadFile(thumbnailsPath), frame);
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'file_missing') return undefined;
      throw error;
    }
  }

  #made(job: PicturedJob): Promise<void> {
    const { thumbnailsPath: path } = job;
    const known = this.#making.get(path);
    if (known !== undefined) return known;
    const make = (): Promise<void> => this.#make(job);
    const making = this.#turn.then(make, make).finally(() => this.#making.delete(path));
    this.#turn = making.catch(() => undefined);
    this.#making.set(path, making);
    return making;
  }

  async #make(job: PicturedJob): Promise<void> {
    const { storage, segments, pictures, log } = this.#options;
    const video = await this.#open(job.videoPath, 'video_missing');
    const results = await this.#open(job.resultsPath, 'results_expired');
    const scenes: Scene[] = [];
    for await (const each of await segments.find(job, { kind: 'scenes' })) if (each.kind === 'scene') scenes.push(each);
    const frames = thumbnailFrames(await firstFrame(results), scenes);
    const thumbnails = await makeThumbnails({ pictures, video, frames, keyframesOnly: job.keyframesOnly });
    await storage.saveFile(thumbnailsDocument(thumbnails), job.thumbnailsPath);
    log.info({ path: job.thumbnailsPath, pictures: thumbnails.length }, 'thumbnails made');
    // The files may have been deleted meanwhile; results are deleted first.
    await this.#open(job.resultsPath, 'results_expired').catch(async (error: unknown) => {
      await storage.deleteFile(job.thumbnailsPath);
      throw error;
    });
  }

  async #open(path: string, code: 'video_missing' | 'results_expired'): Promise<string> {
    try {
      return await this.#options.storage.loadFile(path);
    } catch (cause) {
      if (!(cause instanceof ServiceError) || cause.code !== 'file_missing') throw cause;
      throw new ServiceError(code, 'The files of this job have just been deleted', { cause });
    }
  }
}

async function firstFrame(resultsPath: string): Promise<SeenFrame | undefined> {
  for await (const { frame_index: frameIndex, result } of storedFrames(resultsPath)) {
    return { frameIndex, timestampMs: result.timestamp_ms };
  }
  return undefined;
}
