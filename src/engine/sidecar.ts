import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { errnoOf, ServiceError } from '../errors.ts';
import { jobIdSchema, jobOptionsSchema, mediaFactsSchema, type Job, type JobId } from '../job.ts';
import type { StorageService } from '../storage/storage-service.ts';

const outcomeSchema = z.object({
  status: z.enum(['completed', 'failed']),
  output_path: z.string().nullable(),
  error_code: z.string().nullable(),
  error_message: z.string().nullable(),
  attempt: z.int().min(0),
  ended_at: z.iso.datetime(),
  /** Null unless completed. */
  media: mediaFactsSchema.nullable().default(null),
});

/**
 * The data that restores the row of a job after a loss of the database, in a file beside the video. Written before the
 * row and again after the commit that ends the job. While the database is intact it is only compared with the row.
 */
export const sidecarSchema = z.object({
  job_id: jobIdSchema,
  pipeline_id: z.string(),
  options: jobOptionsSchema,
  file_name: z.string().nullable().default(null),
  tag: z.string().nullable().default(null),
  input_path: z.string(),
  accepted_at: z.iso.datetime(),
  machine_version: z.int(),
  /** Null until the job has ended. */
  outcome: outcomeSchema.nullable(),
  /** The idempotency key of the submission; null if none. */
  submission: z.object({ owner: z.string(), key_sha256: z.string(), fingerprint: z.string() }).nullable().default(null),
  /** Time of the deletion of video and results; null while they are kept. */
  expired_at: z.iso.datetime().nullable(),
});
export type Sidecar = z.infer<typeof sidecarSchema>;

export function sidecarOf(job: Omit<Job, 'acceptedSeq'>, submission: Sidecar['submission'] = null): Sidecar {
  const { status } = job;
  return {
    job_id: job.jobId,
    pipeline_id: job.pipelineId,
    options: job.options,
    file_name: job.fileName,
    tag: job.tag,
    input_path: job.inputPath,
    accepted_at: job.createdAt,
    machine_version: job.machineVersion,
    outcome:
      status === 'completed' || status === 'failed'
        ? {
            status,
            output_path: job.outputPath,
            error_code: job.errorCode,
            error_message: job.errorMessage,
            attempt: job.attempt,
            ended_at: job.updatedAt,
            media: job.media,
          }
        : null,
    submission,
    expired_at: job.expiredAt,
  };
}

/** Returns the stored path of a file of a job. */
export const inputPathOf = (jobId: JobId): string => `${jobId}.mp4`;
export const resultsPathOf = (jobId: JobId): string => `${jobId}_results.json`;
export const segmentsPathOf = (jobId: JobId): string => `${jobId}_segments.json`;
export const thumbnailsPathOf = (jobId: JobId): string => `${jobId}_thumbnails.bin`;
export const sidecarPathOf = (jobId: JobId): string => `${jobId}.json`;

/** Findings in a job's video: its results and the derived files. */
export function resultsPathsOf(jobId: JobId): readonly string[] {
  return [resultsPathOf(jobId), segmentsPathOf(jobId), thumbnailsPathOf(jobId)];
}

/** All files of a job in the storage. The sidecar is last, because it can restore the job as long as it exists. */
export function filesOf(jobId: JobId): readonly string[] {
  return [...resultsPathsOf(jobId), inputPathOf(jobId), sidecarPathOf(jobId)];
}

const STORED_NAME = /^([0-9a-f-]{36})(?:\.mp4|\.json|_results\.json|_segments\.json|_thumbnails\.bin)$/;

/** Returns the job of a stored path; undefined for other files. */
export function ownerOf(path: string): JobId | undefined {
  return jobIdSchema.safeParse(STORED_NAME.exec(path)?.[1]).data;
}

export async function writeSidecar(
  storage: StorageService,
  job: Omit<Job, 'acceptedSeq'>,
  submission: Sidecar['submission'],
): Promise<void> {
  await saveSidecar(storage, sidecarOf(job, submission));
}

export async function saveSidecar(storage: Pick<StorageService, 'saveFile'>, sidecar: Sidecar): Promise<void> {
  await storage.saveFile(textOf(sidecar), sidecarPathOf(sidecar.job_id));
}

/** Operating system errors that do not concern the opened file: no descriptor, or no folder. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'ENOENT']);

/**
 * Returns the sidecar of a job; undefined if there is none or the content is invalid, `unreadable` if the system
 * refuses to read this file, which then affects only this job.
 */
export async function readSidecar(storage: StorageService, jobId: JobId): Promise<Sidecar | 'unreadable' | undefined> {
  let text: string;
  try {
    text = await readFile(await storage.loadFile(sidecarPathOf(jobId)), 'utf8');
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'file_missing') return undefined;
    const errno = errnoOf(error instanceof ServiceError ? error.cause : error);
    if (errno === undefined || OF_THE_MACHINE.has(errno)) throw error;
    return 'unreadable';
  }
  const { data } = sidecarSchema.safeParse(jsonOf(text));
  return data?.job_id === jobId && data.input_path === inputPathOf(jobId) ? data : undefined;
}

async function* textOf(sidecar: Sidecar): AsyncGenerator<string> {
  yield `${JSON.stringify(sidecar)}\n`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
