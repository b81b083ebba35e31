import type { EncodedPicture, PictureWish } from './pictures.ts';

/** Makes pictures of video files. Knows nothing of jobs. */
export interface VideoPictureService {
  /**
   * Decodes a local file and yields the wanted pictures in the order of their times. Rejects like
   * `VideoFilePipelineService.runOnFile`, and with the signal's reason.
   */
  pictures(filePath: string, wish: PictureWish, signal?: AbortSignal): AsyncIterable<EncodedPicture>;
}
