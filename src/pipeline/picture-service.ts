import type { EncodedPicture, PictureWish } from './pictures.ts';

/** Creates pictures of video files. Knows nothing about jobs. */
export interface VideoPictureService {
  /**
   * Decodes a local file and yields the requested pictures in the order of their times. Rejects like
   * `VideoFilePipelineService.runOnFile`, and with the signal's reason.
   */
  pictures(filePath: string, wish: PictureWish, signal?: AbortSignal): AsyncIterable<EncodedPicture>;
}
