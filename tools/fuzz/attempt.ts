import { problemSchema, submitResponseSchema } from '../../src/http/schemas.ts';
import type { JobId } from '../../src/job.ts';
import { followJob, resultsOf } from '../job-requests.ts';
import { showsCanary } from './canary.ts';
import type { Mutant } from './mutant.ts';

/** The outcome of a mutant. */
export interface Attempt {
  /** `completed`, `failed` with its code, or the code of the rejection. */
  readonly outcome: string;
  /** Undefined if it was rejected. */
  readonly jobId: JobId | undefined;
  /** From the first sent byte to the end of the job in milliseconds, waiting included. */
  readonly ms: number;
  /** Violations; empty if there are none. */
  readonly faults: readonly string[];
}

/** A job must end within this time in milliseconds, waiting included. Above the service's limit of an attempt. */
const WITHIN_MS = 120_000;

/** Expected error codes of a video. Any other end is a fault of the service. */
const VERDICTS = new Set(['invalid_video', 'too_large']);

/** Sends a mutant like a client and waits for the end of its job. Rejects if the service cannot be reached. */
export async function attempt(url: string, mutant: Mutant, abort: AbortSignal): Promise<Attempt> {
  const startedMs = performance.now();
  const signal = AbortSignal.any([abort, AbortSignal.timeout(WITHIN_MS)]);
  const ended = (outcome: string, faults: readonly string[], jobId?: JobId): Attempt => ({
    outcome,
    jobId,
    ms: performance.now() - startedMs,
    faults,
  });
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(mutant.bytes)]), mutant.fileName);
  const address = `${url}/video/submit?pipeline_id=ocr_only&frame_stride=${mutant.frameStride}`;
  const response = await fetch(address, { method: 'POST', body: form, signal });
  const text = await response.text();
  if (response.status !== 202) {
    const { code, detail } = problemSchema.parse(JSON.parse(text));
    const isRefusal = response.status >= 400 && response.status < 500 && detail !== '';
    return ended(`refused: ${code}`, isRefusal ? [] : [`answered ${response.status}: ${text}`]);
  }
  const { job_id: jobId } = submitResponseSchema.parse(JSON.parse(text));
  const job = await followJob(jobId, { url, signal }, () => {});
  if (job.status === 'completed') {
    const results = JSON.stringify(await resultsOf(jobId, { url, signal }));
    return ended('completed', showsCanary(results) ? [`the canary shows: ${results.slice(0, 500)}`] : [], jobId);
  }
  const { error_code: code = 'none', error_message: message = '' } = job;
  const faults: string[] = [];
  if (!VERDICTS.has(code)) faults.push(`the job ended as ${code}: ${message}`);
  if (message === '' || showsCanary(message)) faults.push(`the message is ${JSON.stringify(message)}`);
  return ended(`failed: ${code}`, faults, jobId);
}
