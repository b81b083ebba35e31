import type { VideoLimits } from '../pipeline/limits.ts';
import type { VideoPictureService } from '../pipeline/picture-service.ts';
import type { EncodedPicture, PictureWish } from '../pipeline/pictures.ts';
import type { ProcessPool } from './process-pool.ts';

export interface PooledPicturesOptions {
  readonly pool: ProcessPool;
  readonly limits: VideoLimits;
  /** Additional decoders of FFmpeg. */
  readonly extraDecoders: readonly string[];
}

/** Creates pictures in the child processes of a pool. */
export class PooledPictures implements VideoPictureService {
  readonly #options: PooledPicturesOptions;

  constructor(options: PooledPicturesOptions) {
    this.#options = options;
  }

  pictures(filePath: string, wish: PictureWish, signal?: AbortSignal): AsyncGenerator<EncodedPicture, void> {
    const { pool, limits, extraDecoders } = this.#options;
    return pool.look({ filePath, wish, limits, extraDecoders }, signal);
  }
}
