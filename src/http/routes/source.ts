import type { RouterMiddleware } from '@koa/router';
import { openVideo } from '../../engine/job-files.ts';
import { ServiceError } from '../../errors.ts';
import type { StorageService } from '../../storage/storage-service.ts';
import type { JobReads } from '../../store/job-store.ts';
import { sendProblem } from '../problem.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { downloadName } from './download-name.ts';
import { openStoredFile } from './stored-file.ts';
import { parseJobId, requireJob } from './status.ts';

interface Range {
  /** First and last byte, inclusive. */
  readonly start: number;
  readonly end: number;
}

/** GET /video/source/{job_id}: the stored video or one range of it, never held in memory. */
export function sourceRoute(
  reads: Pick<JobReads, 'get'>,
  storage: Pick<StorageService, 'loadFile'>,
): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const job = requireJob(jobId, await reads.get(jobId));
    const path = await openVideo(storage, job);
    const { handle, size } = await openStoredFile(
      path,
      () => new ServiceError('video_missing', 'The video of this job has just been deleted'),
    );
    ctx.set({
      'Accept-Ranges': 'bytes',
      // The video never changes, but access does: after a sign-out it must not be in the browser's cache.
      'Cache-Control': 'private, no-cache',
      ETag: `"${jobId}"`,
    });
    ctx.attachment(downloadName(job, '.mp4'), { type: 'inline' });
    ctx.type = 'video/mp4';
    const asked = ctx.get('Range');
    ctx.status = 200;
    if (asked === '' && ctx.fresh) {
      await handle.close();
      ctx.status = 304;
      return;
    }
    // A range of another version than the client's is answered with the whole video.
    const isStale = !['', `"${jobId}"`].includes(ctx.get('If-Range'));
    const range = isStale ? 'whole' : rangeOf(asked, size);
    if (range === 'none' || ctx.method === 'HEAD') await handle.close();
    if (range === 'none') {
      ctx.remove('ETag');
      ctx.set('Cache-Control', 'no-store');
      ctx.remove('Content-Disposition');
      ctx.set('Content-Range', `bytes */${size}`);
      sendProblem(ctx, 'range_not_satisfiable', `The video has ${size} bytes`);
      return;
    }
    const { start, end } = range === 'whole' ? { start: 0, end: size - 1 } : range;
    ctx.status = range === 'whole' ? 200 : 206;
    if (range !== 'whole') ctx.set('Content-Range', `bytes ${start}-${end}/${size}`);
    if (ctx.method !== 'HEAD') ctx.body = handle.createReadStream({ start, end });
    ctx.length = end - start + 1;
  };
}

/** Parses one range (RFC 9110). Other units, invalid ranges and multiple ranges are answered with the whole video. */
function rangeOf(header: string, size: number): Range | 'whole' | 'none' {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim()) ?? [];
  if (from === '' && to === '') return 'whole';
  if (from === '')
    return Number(to) === 0 || size === 0 ? 'none' : { start: Math.max(0, size - Number(to)), end: size - 1 };
  const start = Number(from);
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < start) return 'whole';
  return start >= size ? 'none' : { start, end };
}
