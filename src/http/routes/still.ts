import type { RouterMiddleware } from '@koa/router';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { openVideo } from '../../engine/job-files.ts';
import { ServiceError } from '../../errors.ts';
import type { VideoPictureService } from '../../pipeline/picture-service.ts';
import type { StorageService } from '../../storage/storage-service.ts';
import type { JobReads } from '../../store/job-store.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { decimal, parseParameters } from '../parameters.ts';
import { isUnchanged } from './entity-tag.ts';
import { PictureTurns } from './picture-turns.ts';
import { refusalOfPicture } from './picture-refusal.ts';
import { parseJobId, requireJob } from './status.ts';

/** Milliseconds for a still, including the wait and the start of a process. */
const TIMEOUT_MS = 30_000;
/** Half a day, like the longest video. */
const MAX_MS = 43_200_000;

export const stillParametersSchema = z.object({
  at_ms: decimal(0, MAX_MS)
    .optional()
    .describe('Time in milliseconds: the frame that a player shows then; 0 when absent'),
  format: z.enum(['jpeg', 'png'], 'must be jpeg or png').optional().describe('`jpeg` when absent'),
});

/** GET /video/still/{job_id}: one frame of the stored video in its displayed size. */
export function stillRoute(
  reads: Pick<JobReads, 'get'>,
  storage: Pick<StorageService, 'loadFile'>,
  pictures: VideoPictureService,
): RouterMiddleware<RequestState> {
  const turns = new PictureTurns();
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const { at_ms: atMs = 0, format = 'jpeg' } = parseParameters(stillParametersSchema, [ctx.query]);
    const video = await openVideo(storage, requireJob(jobId, await reads.get(jobId)));
    if (isUnchanged(ctx, 'still', jobId, atMs, format)) return;
    const leaving = new AbortController();
    try {
      const signal = AbortSignal.any([leaving.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      void abortWhenClosed(ctx.res, leaving);
      await turns.run(ctx.state.client.network, async () => {
        signal.throwIfAborted();
        for await (const { bytes } of pictures.pictures(video, { kind: 'still', atMs, format }, signal)) {
          ctx.type = `image/${format}`;
          ctx.body = Buffer.from(bytes);
        }
      });
    } catch (error) {
      throw refusalOfPicture(error);
    } finally {
      leaving.abort();
    }
  };
}

/** Aborts when the client disconnects; ends when it is aborted otherwise. */
async function abortWhenClosed(response: ServerResponse, leaving: AbortController): Promise<void> {
  const { signal } = leaving;
  await once(response, 'close', { signal }).catch(() => undefined);
  if (!signal.aborted) leaving.abort(new ServiceError('invalid_request', 'The client disconnected'));
}
