import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pause } from '../client/pause.ts';
import type { ReelstateClient } from '../client/reelstate-client.ts';
import { ReelstateError } from '../client/reelstate-error.ts';
import { analysisOptionsOf, type AnalysisFlags } from './analysis-flags.ts';
import type { Terminal } from './terminal.ts';

export interface UploadOptions {
  readonly client: ReelstateClient;
  readonly flags: AnalysisFlags;
  readonly terminal: Terminal;
}

/** Errors of one file; the next one may be accepted. */
const FILE_ERRORS = new Set(['invalid_mp4', 'missing_file', 'upload_too_large']);
/** How long a service without a response is retried, in milliseconds. One that names a time to wait is retried for ever. */
const RETRY_FOR_MS = 10_000;
const RETRY_AFTER_MS = 1_000;

/** True for an error of the file itself: it cannot be read, or the service rejects it. */
export function isFileError(error: unknown): boolean {
  if (error instanceof ReelstateError) return FILE_ERRORS.has(error.code);
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

/**
 * Uploads a file and returns its job id. Waits and retries while the service is busy or restarting; an idempotency key
 * makes a repeated upload of the same file one job.
 */
export async function uploadFile(path: string, { client, flags, terminal }: UploadOptions): Promise<string> {
  if (!(await stat(path)).isFile()) throw new ReelstateError('missing_file', 'not a file');
  const { line, signal } = terminal;
  const fileName = basename(path);
  const idempotencyKey = crypto.randomUUID();
  let silentSinceMs: number | undefined;
  for (;;) {
    try {
      const { jobId } = await client.submit({
        file: await openAsBlob(path),
        fileName,
        pipelineId: flags.pipeline,
        idempotencyKey,
        ...analysisOptionsOf(flags),
        onProgress: (sent, all) => line.bar(fileName, sent, all),
        signal,
      });
      return jobId;
    } catch (error) {
      if (!(error instanceof ReelstateError) || !error.isTransient) throw error;
      if (error.retryAfterS === undefined) {
        silentSinceMs ??= performance.now();
        if (performance.now() - silentSinceMs > RETRY_FOR_MS) throw error;
      } else silentSinceMs = undefined;
      line.spin(`${fileName}  ${error.message}`);
      await pause(error.retryAfterS === undefined ? RETRY_AFTER_MS : error.retryAfterS * 1_000, signal);
    } finally {
      line.clear();
    }
  }
}
