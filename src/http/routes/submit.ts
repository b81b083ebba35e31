import type { RouterMiddleware } from '@koa/router';
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { JobEngine } from '../../engine/job-engine.ts';
import { ServiceError } from '../../errors.ts';
import type { JobOptions } from '../../job.ts';
import type { SubmitRequest } from '../../engine/job-engine.ts';
import { jobOptionsOf, requireCompatible } from '../analysis-parameters.ts';
import { checkFileType, HEAD_BYTES } from '../uploads/ftyp.ts';
import { cleanFileName } from '../uploads/file-name.ts';
import { parseParameters } from '../parameters.ts';
import type { RequestState } from '../middleware/request-log.ts';
import { submitParametersSchema, type SubmitResponse } from '../schemas.ts';
import { receiveUpload, type Upload, type UploadOptions } from '../uploads/receive-upload.ts';
import { requireRoom } from '../uploads/room.ts';
import { MAX_EXTRA_BYTES, tooLarge } from '../uploads/upload-form.ts';

export interface SubmitOptions extends UploadOptions {
  readonly engine: Pick<JobEngine, 'submit' | 'submitOnce' | 'requirePipeline' | 'requireQueueRoom'>;
  /** Prefix of the service's addresses as clients see them, such as `/reelstate`; empty for the root. */
  readonly basePath: string;
  /** Uploads received at once. */
  readonly maxUploads: number;
  /** Whether the names of uploaded files are kept. */
  readonly keepFileNames: boolean;
  /** Milliseconds for which an `Idempotency-Key` is remembered. */
  readonly idempotencyTtlMs: number;
}

/** Printable ASCII, as a header can carry it, and no longer than a name should be. */
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

/** POST /video/submit: everything that can be refused before the body is read is; the job is durable before the answer. */
export function submitRoute(options: SubmitOptions): RouterMiddleware<RequestState> {
  const { engine, basePath, maxUploads, keepFileNames, idempotencyTtlMs } = options;
  let uploads = 0;

  const accept = async (request: SubmitRequest, sha256: string | undefined, owner: string, key: string) => {
    if (sha256 === undefined) return { job: await engine.submit(request), replayed: false };
    const { pipelineId, options: chosen, tag } = request;
    return engine.submitOnce({
      ...request,
      key: {
        owner,
        keySha256: hashOf(key),
        fingerprint: fingerprintOf(pipelineId, { ...chosen, ...(tag === undefined ? {} : { tag }) }, sha256),
      },
      keySince: new Date(Date.now() - idempotencyTtlMs).toISOString(),
    });
  };

  const receive = async (ctx: Parameters<RouterMiddleware<RequestState>>[0], hash: boolean): Promise<Upload> => {
    if (uploads >= maxUploads) {
      throw new ServiceError('too_many_uploads', `${maxUploads} uploads are being received, and no more may`);
    }
    uploads += 1;
    try {
      return await receiveUpload(ctx, { ...options, hash });
    } finally {
      uploads -= 1;
    }
  };

  return async (ctx) => {
    const key = ctx.get('Idempotency-Key');
    if (key !== '' && !IDEMPOTENCY_KEY.test(key)) {
      throw new ServiceError('invalid_request', 'Idempotency-Key has more than 255 characters, or strange ones');
    }
    const early = parseParameters(submitParametersSchema.partial(), [ctx.query]);
    requireCompatible(early);
    if (early.pipeline_id !== undefined) engine.requirePipeline(early.pipeline_id);
    // A submission that comes again may find its job, which needs no room.
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
        uploadPath: upload.path,
        pipelineId,
        options: jobOptions,
        fileName: keepFileNames ? cleanFileName(upload.fileName) : null,
        ...(tag === undefined ? {} : { tag }),
      };
      const owner = ctx.state.caller?.id ?? 'anonymous';
      const { job, replayed } = await accept(request, upload.sha256, owner, key);
      ctx.state.jobId = job.jobId;
      if (replayed) ctx.set('Idempotent-Replayed', 'true');
      ctx.status = 202;
      ctx.set('Location', `${basePath}/video/status/${job.jobId}`);
      ctx.body = { job_id: job.jobId } satisfies SubmitResponse;
    } finally {
      // A job that was accepted stays accepted; the next start removes what is left of an upload.
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

/** Tells a submission from another with the same key. Options that were added later count only where they are given. */
function fingerprintOf(pipelineId: string, options: JobOptions & { readonly tag?: string }, sha256: string): string {
  const { frame_stride: frameStride, max_frames: maxFrames, ...others } = options;
  const added = Object.keys(others).length === 0 ? [] : [others];
  return hashOf(JSON.stringify([pipelineId, frameStride, maxFrames, ...added, sha256]));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
