import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Submission } from '../client/call-options.ts';
import type { ReelstateClient } from '../client/reelstate-client.ts';
import { ReelstateError } from '../client/reelstate-error.ts';
import { retryTransient } from '../client/retry-transient.ts';
import { analysisOptionsOf, type AnalysisFlags } from './analysis-flags.ts';
import type { Terminal } from './terminal.ts';

export interface SubmissionFlags extends Omit<AnalysisFlags, 'pipeline'> {
  /** Absent: `ocr_only`, or the pipeline of the original job. */
  readonly pipeline?: string;
  readonly tag?: string;
}

export interface UploadOptions {
  readonly client: ReelstateClient;
  readonly flags: SubmissionFlags;
  readonly terminal: Terminal;
}

/** Errors of one file or one rerun; the next one may be accepted. */
const FILE_ERRORS = new Set(['invalid_mp4', 'missing_file', 'upload_too_large', 'job_not_found', 'video_missing']);
/**
 * How long a service without a response is retried, in milliseconds. One that sends Retry-After is retried for ever.
 */
const RETRY_FOR_MS = 10_000;

/** True for an error of the video itself: it cannot be read, or the service rejects it. */
export function isFileError(error: unknown): boolean {
  if (error instanceof ReelstateError) return FILE_ERRORS.has(error.code);
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

/** The default pipeline of an upload. */
const USUAL_PIPELINE = 'ocr_only';

/**
 * Uploads a file and returns its job id. Waits and retries while the service is busy or restarting; an idempotency key
 * makes a repeated upload of the same file one job.
 */
export async function uploadFile(path: string, { client, flags, terminal }: UploadOptions): Promise<string> {
  if (!(await stat(path)).isFile()) throw new ReelstateError('missing_file', 'not a file');
  const { line, signal } = terminal;
  const fileName = basename(path);
  return submitted(fileName, terminal, async (idempotencyKey) =>
    client.submit({
      ...analysisOptionsOf(flags),
      file: await openAsBlob(path),
      fileName,
      pipelineId: flags.pipeline ?? USUAL_PIPELINE,
      tag: flags.tag,
      idempotencyKey,
      onProgress: (sent, all) => line.bar(fileName, sent, all),
      signal,
    }),
  );
}

/** Analyses the stored video of a job again and returns the id of the new job. Waits and retries like `uploadFile`. */
export async function rerunJob(jobId: string, { client, flags, terminal }: UploadOptions): Promise<string> {
  const { pipeline: pipelineId, tag } = flags;
  const { signal } = terminal;
  return submitted(jobId, terminal, (idempotencyKey) =>
    client.rerun(jobId, { ...analysisOptionsOf(flags), pipelineId, tag, idempotencyKey, signal }),
  );
}

/** Submits until the service accepts or rejects. */
async function submitted(
  name: string,
  { line, signal }: Terminal,
  submit: (idempotencyKey: string) => Promise<Submission>,
): Promise<string> {
  const idempotencyKey = crypto.randomUUID();
  const attempt = async (): Promise<string> => {
    try {
      return (await submit(idempotencyKey)).jobId;
    } finally {
      line.clear();
    }
  };
  const onRetry = ({ message }: ReelstateError): void => line.spin(`${name}  ${message}`);
  return retryTransient(attempt, { patienceMs: RETRY_FOR_MS, signal, onRetry }).finally(() => line.clear());
}
