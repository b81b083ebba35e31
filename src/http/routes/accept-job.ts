import type { RouterContext } from '@koa/router';
import { createHash } from 'node:crypto';
import type { JobEngine } from '../../engine/job-engine.ts';
import type { SubmitRequest } from '../../engine/submit-request.ts';
import { ServiceError } from '../../errors.ts';
import type { JobOptions } from '../../job.ts';
import type { RequestState } from '../middleware/request-state.ts';
import type { SubmitResponse } from '../schemas.ts';

export interface AcceptOptions {
  readonly engine: Pick<JobEngine, 'submit' | 'submitOnce'>;
  /** Prefix of addresses as clients see them, such as `/reelstate`; empty for the root. */
  readonly basePath: string;
  /** Lifetime of an `Idempotency-Key` in milliseconds. */
  readonly idempotencyTtlMs: number;
}

/** Printable ASCII, as headers allow, with a limited length. */
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

/** Returns the `Idempotency-Key` of the request, or an empty text. Throws `invalid_request`. */
export function idempotencyKeyOf(ctx: RouterContext<RequestState>): string {
  const key = ctx.get('Idempotency-Key');
  if (key === '' || IDEMPOTENCY_KEY.test(key)) return key;
  throw new ServiceError('invalid_request', 'Idempotency-Key has more than 255 or invalid characters');
}

/**
 * Creates a job, or finds the one of an earlier request with the same `Idempotency-Key`, and responds with 202.
 * @param content identifies the video when requests with one key are compared; unused without a key
 */
export async function acceptJob(
  ctx: RouterContext<RequestState>,
  request: SubmitRequest,
  content: string | undefined,
  { engine, basePath, idempotencyTtlMs }: AcceptOptions,
): Promise<void> {
  const key = idempotencyKeyOf(ctx);
  const { job, replayed } =
    key === '' || content === undefined
      ? { job: await engine.submit(request), replayed: false }
      : await engine.submitOnce({
          ...request,
          key: {
            owner: ctx.state.caller?.id ?? 'anonymous',
            keySha256: hashOf(key),
            fingerprint: fingerprintOf(request, content),
          },
          keySince: new Date(Date.now() - idempotencyTtlMs).toISOString(),
        });
  ctx.state.jobId = job.jobId;
  if (replayed) ctx.set('Idempotent-Replayed', 'true');
  ctx.status = 202;
  ctx.set('Location', `${basePath}/video/status/${job.jobId}`);
  ctx.body = { job_id: job.jobId } satisfies SubmitResponse;
}

/** Distinguishes submissions with the same key. Options added in later versions count only if they are given. */
function fingerprintOf({ pipelineId, options, tag }: SubmitRequest, content: string): string {
  const compared: JobOptions & { readonly tag?: string } = { ...options, ...(tag === undefined ? {} : { tag }) };
  const { frame_stride: frameStride, max_frames: maxFrames, ...others } = compared;
  const added = Object.keys(others).length === 0 ? [] : [others];
  return hashOf(JSON.stringify([pipelineId, frameStride, maxFrames, ...added, content]));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
