import type { RouterMiddleware } from '@koa/router';
import { open } from 'node:fs/promises';
import type { JobEngine } from '../../engine/job-engine.ts';
import { ServiceError } from '../../errors.ts';
import { jobOptionsOf, requireCompatible } from '../analysis-parameters.ts';
import { checkFileType, HEAD_BYTES } from '../uploads/ftyp.ts';
import { cleanFileName } from '../uploads/file-name.ts';
import { parseParameters } from '../parameters.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { submitParametersSchema } from '../schemas.ts';
import { receiveUpload, type Upload, type UploadOptions } from '../uploads/receive-upload.ts';
import { requireRoom } from '../uploads/room.ts';
import { MAX_EXTRA_BYTES, tooLarge } from '../uploads/upload-form.ts';
import { acceptJob, idempotencyKeyOf, type AcceptOptions } from './accept-job.ts';

export interface SubmitOptions extends UploadOptions, AcceptOptions {
  readonly engine: Pick<JobEngine, 'submit' | 'submitOnce' | 'requirePipeline' | 'requireQueueRoom'>;
  /** Concurrent uploads. */
  readonly maxUploads: number;
  /** Whether names of uploaded files are kept. */
  readonly keepFileNames: boolean;
}

/** POST /video/submit. Rejects early what needs no body. The job is durable before the response. */
export function submitRoute(options: SubmitOptions): RouterMiddleware<RequestState> {
  const { engine, maxUploads, keepFileNames } = options;
  let uploads = 0;

  const receive = async (ctx: Parameters<RouterMiddleware<RequestState>>[0], hash: boolean): Promise<Upload> => {
    if (uploads >= maxUploads) {
      throw new ServiceError('too_many_uploads', `${maxUploads} uploads are in progress, which is the limit`);
    }
    uploads += 1;
    try {
      return await receiveUpload(ctx, { ...options, hash });
    } finally {
      uploads -= 1;
    }
  };

  return async (ctx) => {
    const key = idempotencyKeyOf(ctx);
    const early = parseParameters(submitParametersSchema.partial(), [ctx.query]);
    requireCompatible(early);
    if (early.pipeline_id !== undefined) engine.requirePipeline(early.pipeline_id);
    // A repeated submission may find its job, which needs no space.
    if (key === '') engine.requireQueueRoom();
    const declaredBytes = ctx.request.length ?? 0;
    if (declaredBytes > options.maxUploadBytes + MAX_EXTRA_BYTES) throw tooLarge(options.maxUploadBytes);
    await requireRoom(declaredBytes, options);

    const upload = await receive(ctx, key !== '');
    try {
      const parameters = parseParameters(submitParametersSchema, [ctx.query, upload.fields]);
      const jobOptions = jobOptionsOf(parameters);
      engine.requirePipeline(parameters.pipeline_id);
      checkFileType(await headOf(upload.path));
      const { pipeline_id: pipelineId, tag } = parameters;
      const request = {
        video: { adopt: upload.path },
        pipelineId,
        options: jobOptions,
        fileName: keepFileNames ? cleanFileName(upload.fileName) : null,
        ...(tag === undefined ? {} : { tag }),
      };
      await acceptJob(ctx, request, upload.sha256, options);
    } finally {
      // An accepted job stays accepted; the next start deletes the rest of an upload.
      await upload.discard().catch((error: unknown) => ctx.state.log.warn({ err: error }, 'upload not removed'));
    }
  };
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
