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
 * What is known of a job beside its video, in a file of its own: enough to bring its row back when the database has
 * lost it. Written before the row, and again after the commit that ended the job; never read while the database is whole
 * but to see that it is.
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
  /** The key that it was submitted with; null where there was none. */
  submission: z.object({ owner: z.string(), key_sha256: z.string(), fingerprint: z.string() }).nullable().default(null),
  /** When its video and results were deleted; null while they are kept. */
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

/** The stored path of what a job has in the storage. */
export const inputPathOf = (jobId: JobId): string => `${jobId}.mp4`;
export const resultsPathOf = (jobId: JobId): string => `${jobId}_results.json`;
export const segmentsPathOf = (jobId: JobId): string => `${jobId}_segments.json`;
export const sidecarPathOf = (jobId: JobId): string => `${jobId}.json`;

const STORED_NAME = /^([0-9a-f-]{36})(?:\.mp4|\.json|_results\.json|_segments\.json)$/;

/** The job to which a stored path belongs by its name; undefined for a file that is none of ours. */
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

/** Errors of the system that say nothing of the file that was opened: no room for another one, or no folder. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'ENOENT']);

/**
 * A job's sidecar; undefined when there is none, or what is there is no sidecar. `unreadable` when the system refuses to
 * read this file: what a damaged disk or a careless restore left concerns this job alone.
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
