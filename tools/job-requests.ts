import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import {
  resultsResponseSchema,
  statusResponseSchema,
  submitResponseSchema,
  type StatusResponse,
} from '../src/http/schemas.ts';
import { frameResultSchema, type FrameResult, type JobId } from '../src/job.ts';

/** How often a status is asked for, in milliseconds: often enough to see a short job run. */
const POLL_MS = 50;
/** Small, so that progress is seen on a small file. */
const SMALL_CHUNK_BYTES = 8 * 1024;

/** Nothing may stand beside what is documented. */
const strictResultsSchema = resultsResponseSchema.extend({ results: z.array(frameResultSchema.strict()) }).strict();

export interface JobRequest {
  /** The service's address, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly signal: AbortSignal;
}

export interface SubmitRequest extends JobRequest {
  readonly videoPath: string;
  readonly pipelineId: string;
  readonly frameStride?: number;
  /** Bytes read and sent at once. */
  readonly chunkBytes?: number;
  readonly onProgress?: (sentBytes: number, allBytes: number) => void;
}

/** Uploads a video as it is read from disk. @throws when the answer is not a 202 that says where to look */
export async function submitVideo(request: SubmitRequest): Promise<JobId> {
  const { url, signal, videoPath, pipelineId, frameStride = 1, chunkBytes = SMALL_CHUNK_BYTES, onProgress } = request;
  const { size } = await stat(videoPath);
  const boundary = randomUUID();
  async function* body(): AsyncGenerator<Uint8Array> {
    const name = path.basename(videoPath);
    yield Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: video/mp4\r\n\r\n`,
    );
    let sent = 0;
    for await (const chunk of createReadStream(videoPath, { highWaterMark: chunkBytes })) {
      const bytes = z.instanceof(Uint8Array).parse(chunk);
      yield bytes;
      sent += bytes.length;
      onProgress?.(sent, size);
    }
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  const query = new URLSearchParams({ pipeline_id: pipelineId, frame_stride: String(frameStride) });
  const response = await fetch(`${url}/video/submit?${query.toString()}`, {
    method: 'POST',
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
    body: Readable.toWeb(Readable.from(body())),
    duplex: 'half',
    signal,
  });
  const { job_id: jobId } = submitResponseSchema.strict().parse(await answerOf(response, 202));
  const location = response.headers.get('Location');
  if (location !== `/video/status/${jobId}`) throw new Error(`Location is ${location}`);
  return jobId;
}

/** @throws when the answer is not of the documented form */
export async function statusOf(jobId: JobId, { url, signal }: JobRequest): Promise<StatusResponse> {
  const response = await fetch(`${url}/video/status/${jobId}`, { signal });
  return statusResponseSchema.strict().parse(await answerOf(response, 200));
}

/** Asks until the job has ended; tells every state once, when it is first seen. */
export async function followJob(
  jobId: JobId,
  request: JobRequest,
  onState: (status: StatusResponse) => void,
): Promise<StatusResponse> {
  for (let seen = ''; ; await wait(POLL_MS, undefined, { signal: request.signal })) {
    const status = await statusOf(jobId, request);
    if (status.status !== seen) onState(status);
    seen = status.status;
    if (seen === 'completed' || seen === 'failed') return status;
  }
}

/** @throws when the answer is not of the documented form */
export async function resultsOf(jobId: JobId, { url, signal }: JobRequest): Promise<readonly FrameResult[]> {
  const response = await fetch(`${url}/video/results/${jobId}`, { signal });
  const { job_id: answered, results } = strictResultsSchema.parse(await answerOf(response, 200));
  if (answered !== jobId) throw new Error(`results of another job: ${answered}`);
  return results;
}

async function answerOf(response: Response, status: number): Promise<unknown> {
  const text = await response.text();
  if (response.status !== status)
    throw new Error(`${response.url} answered ${response.status}, not ${status}: ${text}`);
  return JSON.parse(text);
}
