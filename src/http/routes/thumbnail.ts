import type { RouterMiddleware } from '@koa/router';
import type { JobThumbnails } from '../../analysis/job-thumbnails.ts';
import { THUMBNAILS_VERSION } from '../../analysis/thumbnails-document.ts';
import { openResults } from '../../engine/job-files.ts';
import { resultsPathOf, segmentsPathOf, thumbnailsPathOf } from '../../engine/sidecar.ts';
import { ServiceError } from '../../errors.ts';
import type { StorageService } from '../../storage/storage-service.ts';
import type { JobReads } from '../../store/job-store.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { isUnchanged } from './entity-tag.ts';
import { refusalOfPicture } from './picture-refusal.ts';
import { parseJobId, requireJob } from './status.ts';

/**
 * GET /video/thumbnails/{job_id}/{frame_index}: a small picture of the first frame of a scene, or of the first analysed
 * one.
 */
export function thumbnailRoute(
  reads: Pick<JobReads, 'get'>,
  storage: Pick<StorageService, 'loadFile'>,
  thumbnails: Pick<JobThumbnails, 'find'>,
): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const frame = frameOf(ctx.params['frame_index']);
    const job = requireJob(jobId, await reads.get(jobId));
    await openResults(storage, job);
    if (isUnchanged(ctx, 'thumbnail', THUMBNAILS_VERSION, jobId, frame)) return;
    const picture = await thumbnails
      .find(
        {
          videoPath: job.inputPath,
          resultsPath: resultsPathOf(jobId),
          segmentsPath: segmentsPathOf(jobId),
          thumbnailsPath: thumbnailsPathOf(jobId),
          media: job.media,
          keyframesOnly: job.options.keyframes_only === true,
        },
        frame,
      )
      .catch((error: unknown) => {
        throw refusalOfPicture(error);
      });
    ctx.type = 'image/jpeg';
    ctx.body = Buffer.from(picture);
  };
}

function frameOf(text = ''): number | 'first' {
  if (text === 'first') return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ServiceError('picture_not_found', 'frame_index must be a whole number, or `first`');
}
