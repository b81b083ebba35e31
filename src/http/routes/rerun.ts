import type { RouterMiddleware } from '@koa/router';
import { openVideo } from '../../engine/job-files.ts';
import type { JobEngine } from '../../engine/job-engine.ts';
import { ServiceError } from '../../errors.ts';
import type { StorageService } from '../../storage/storage-service.ts';
import type { JobReads } from '../../store/job-store.ts';
import { rerunOptionsOf } from '../analysis-parameters.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { parseParameters } from '../parameters.ts';
import { rerunParametersSchema } from '../schemas.ts';
import { requireRoom, type RoomOptions } from '../uploads/room.ts';
import { acceptJob, idempotencyKeyOf, type AcceptOptions } from './accept-job.ts';
import { parseJobId, requireJob } from './status.ts';

export interface RerunOptions extends AcceptOptions, RoomOptions {
  readonly engine: Pick<JobEngine, 'submit' | 'submitOnce' | 'requirePipeline' | 'requireQueueRoom'>;
  readonly reads: Pick<JobReads, 'get'>;
  readonly storage: Pick<StorageService, 'loadFile'>;
  /** Whether names of uploaded files are kept. */
  readonly keepFileNames: boolean;
}

/** POST /video/jobs/{job_id}/rerun: a new job of the stored video, as if it had been uploaded again. */
export function rerunRoute(options: RerunOptions): RouterMiddleware<RequestState> {
  const { engine, reads, storage, keepFileNames } = options;
  return async (ctx) => {
    const key = idempotencyKeyOf(ctx);
    const parameters = parseParameters(rerunParametersSchema, [ctx.query]);
    const jobId = parseJobId(ctx.params['job_id']);
    const job = requireJob(jobId, await reads.get(jobId));
    const pipelineId = parameters.pipeline_id ?? job.pipelineId;
    const tag = parameters.tag ?? job.tag ?? undefined;
    const request = {
      video: { copyOf: job.inputPath },
      pipelineId,
      options: rerunOptionsOf(job.options, parameters),
      fileName: keepFileNames ? job.fileName : null,
      ...(tag === undefined ? {} : { tag }),
    };
    engine.requirePipeline(pipelineId);
    // A repeated request may find its job, which needs no space.
    if (key === '') engine.requireQueueRoom();
    await requireRoom(0, options);
    await openVideo(storage, job);
    try {
      await acceptJob(ctx, request, `video of ${jobId}`, options);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'file_missing') throw error;
      throw new ServiceError('video_missing', `The video of job ${jobId} has just been deleted`, { cause: error });
    }
  };
}
