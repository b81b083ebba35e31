import { ReelstateClient } from '../../client/reelstate-client.ts';
import { ReelstateError } from '../../client/reelstate-error.ts';

export interface UploadOptions {
  readonly file: File;
  readonly pipelineId: string;
  /** As entered by the user; empty ones are omitted, so that the service's defaults apply. */
  readonly frameStride: string;
  readonly maxFrames: string;
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/** Submits a video and resolves with the job id. Rejects with an Error that has the service's message. */
export async function upload({ frameStride, maxFrames, signal, ...options }: UploadOptions): Promise<string> {
  try {
    const { jobId } = await new ReelstateClient({ url: '.' }).submit({
      ...options,
      ...(frameStride === '' ? {} : { frameStride: Number(frameStride) }),
      ...(maxFrames === '' ? {} : { maxFrames: Number(maxFrames) }),
      signal,
    });
    return jobId;
  } catch (error) {
    if (signal.aborted) throw new Error('The upload was cancelled', { cause: error });
    if (!(error instanceof ReelstateError) || error.code !== 'unreachable') throw error;
    throw new Error('The connection broke before the service had answered', { cause: error });
  }
}
