import { openAsBlob } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ReelstateClient } from '../src/client/reelstate-client.ts';
import { ReelstateError } from '../src/client/reelstate-error.ts';
import { resultsResponseSchema, statusResponseSchema, submitResponseSchema } from '../src/http/schemas.ts';
import type { StatusResponse } from '../src/http/schemas.ts';
import { frameResultSchema, jobIdSchema, type FrameResult, type JobId } from '../src/job.ts';

/** Undocumented fields are errors. */
const STRICT: readonly { readonly path: RegExp; readonly status: number; readonly schema: z.ZodType }[] = [
  { path: /^\/video\/submit$/, status: 202, schema: submitResponseSchema.strict() },
  { path: /^\/video\/status\//, status: 200, schema: statusResponseSchema.strict() },
  {
    path: /^\/video\/results\//,
    status: 200,
    schema: resultsResponseSchema.extend({ results: z.array(frameResultSchema.strict()) }).strict(),
  },
];

export interface JobRequest {
  /** The service's address, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly signal: AbortSignal;
}

export interface SubmitRequest extends JobRequest {
  readonly videoPath: string;
  readonly pipelineId: string;
  readonly frameStride?: number;
  readonly onProgress?: (sentBytes: number, allBytes: number) => void;
}

/** Uploads a video while it is read. @throws if the response is not a 202 with a Location */
export async function submitVideo({ url, videoPath, ...options }: SubmitRequest): Promise<JobId> {
  const fileName = path.basename(videoPath);
  const { jobId } = await clientOf(url).submit({ ...options, file: await openAsBlob(videoPath), fileName });
  return jobIdSchema.parse(jobId);
}

/** @throws if the response does not match its schema */
export async function statusOf(jobId: JobId, { url, signal }: JobRequest): Promise<StatusResponse> {
  return statusResponseSchema.parse(await clientOf(url).status(jobId, { signal }));
}

/** Polls until the job has ended; reports every state once. */
export async function followJob(
  jobId: JobId,
  { url, signal }: JobRequest,
  onState: (status: StatusResponse) => void,
): Promise<StatusResponse> {
  const last = await clientOf(url).waitFor(jobId, {
    signal,
    onState: (status) => onState(statusResponseSchema.parse(status)),
  });
  return statusResponseSchema.parse(last);
}

/** @throws if the response does not match its schema */
export async function resultsOf(jobId: JobId, { url, signal }: JobRequest): Promise<readonly FrameResult[]> {
  const frames: FrameResult[] = [];
  for await (const frame of clientOf(url).results(jobId, { signal })) frames.push(frameResultSchema.parse(frame));
  return frames;
}

/** The public client, with every response validated against its schema. */
function clientOf(url: string): ReelstateClient {
  return new ReelstateClient({ url, fetch: askStrictly });
}

async function askStrictly(address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  const { pathname } = new URL(address);
  const form = STRICT.find(({ path: known }) => known.test(pathname));
  if (!response.ok || form === undefined) return response;
  const text = await response.text();
  const strange = (what: string) => new ReelstateError('unexpected_response', `${address} answered ${what}: ${text}`);
  if (response.status !== form.status) throw strange(`${response.status}, not ${form.status}`);
  const answer = form.schema.safeParse(JSON.parse(text));
  if (!answer.success) throw strange(z.prettifyError(answer.error));
  const { job_id: jobId } = submitResponseSchema.parse(answer.data);
  const location = response.headers.get('Location');
  if (form.status === 202 ? location !== `/video/status/${jobId}` : !pathname.endsWith(jobId)) {
    throw strange(form.status === 202 ? `Location: ${location}` : 'about another job');
  }
  const { status, headers } = response;
  return new Response(text, { status, headers });
}
