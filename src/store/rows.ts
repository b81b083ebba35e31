import { DuckDBUUIDValue } from '@duckdb/node-api';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import {
  jobIdSchema,
  jobOptionsSchema,
  jobStatusSchema,
  mediaFactsSchema,
  type Job,
  type JobSummary,
  type JobTransition,
} from '../job.ts';
import type { SubmissionKey } from './job-store.ts';

export type ColumnType = 'UUID' | 'VARCHAR' | 'INTEGER' | 'BIGINT' | 'TIMESTAMP';
export type Columns = Readonly<Record<string, ColumnType>>;
/** A row to be written. UUIDs and timestamps (ISO 8601 UTC) are text. */
export type Row<C extends Columns> = { readonly [Column in keyof C]: string | number | null };

export const JOB_COLUMNS = {
  job_id: 'UUID',
  status: 'VARCHAR',
  pipeline_id: 'VARCHAR',
  options: 'VARCHAR',
  input_path: 'VARCHAR',
  output_path: 'VARCHAR',
  error_code: 'VARCHAR',
  error_message: 'VARCHAR',
  accepted_seq: 'BIGINT',
  revision: 'INTEGER',
  attempt: 'INTEGER',
  machine_version: 'INTEGER',
  snapshot: 'VARCHAR',
  created_at: 'TIMESTAMP',
  updated_at: 'TIMESTAMP',
  expired_at: 'TIMESTAMP',
  file_name: 'VARCHAR',
  tag: 'VARCHAR',
  media: 'VARCHAR',
} as const satisfies Columns;

/** Columns that every transition changes. */
export const STEP_COLUMNS = {
  status: 'VARCHAR',
  revision: 'INTEGER',
  attempt: 'INTEGER',
  machine_version: 'INTEGER',
  snapshot: 'VARCHAR',
  updated_at: 'TIMESTAMP',
} as const satisfies Columns;

/** Columns that only the last transition sets. Null before it, never changed after it. */
export const END_COLUMNS = {
  output_path: 'VARCHAR',
  error_code: 'VARCHAR',
  error_message: 'VARCHAR',
  media: 'VARCHAR',
} as const satisfies Columns;

export const TRANSITION_COLUMNS = {
  job_id: 'UUID',
  seq: 'INTEGER',
  attempt: 'INTEGER',
  from_state: 'VARCHAR',
  event: 'VARCHAR',
  to_state: 'VARCHAR',
  context: 'VARCHAR',
  occurred_at: 'TIMESTAMP',
} as const satisfies Columns;

export const SUBMISSION_COLUMNS = {
  owner: 'VARCHAR',
  key_sha256: 'VARCHAR',
  fingerprint: 'VARCHAR',
  job_id: 'UUID',
  created_at: 'TIMESTAMP',
} as const satisfies Columns;

/** A UUID bound as text makes DuckDB plan the statement again each time. */
export function uuidValue(uuid: string): DuckDBUUIDValue {
  return DuckDBUUIDValue.fromUint128(BigInt(`0x${uuid.replaceAll('-', '')}`));
}

export function jobRow(job: Job): Row<typeof JOB_COLUMNS> {
  return {
    job_id: job.jobId,
    status: job.status,
    pipeline_id: job.pipelineId,
    options: JSON.stringify(job.options),
    input_path: job.inputPath,
    output_path: job.outputPath,
    error_code: job.errorCode,
    error_message: job.errorMessage,
    accepted_seq: job.acceptedSeq,
    revision: job.revision,
    attempt: job.attempt,
    machine_version: job.machineVersion,
    snapshot: job.snapshot,
    created_at: job.createdAt,
    updated_at: job.updatedAt,
    expired_at: job.expiredAt,
    file_name: job.fileName,
    tag: job.tag,
    media: job.media === null ? null : JSON.stringify(job.media),
  };
}

export function submissionRow(
  { owner, keySha256, fingerprint }: SubmissionKey,
  { jobId, createdAt }: Pick<Job, 'jobId' | 'createdAt'>,
): Row<typeof SUBMISSION_COLUMNS> {
  return { owner, key_sha256: keySha256, fingerprint, job_id: jobId, created_at: createdAt };
}

export function transitionRow(transition: JobTransition): Row<typeof TRANSITION_COLUMNS> {
  return {
    job_id: transition.jobId,
    seq: transition.seq,
    attempt: transition.attempt,
    from_state: transition.fromState,
    event: transition.event,
    to_state: transition.toState,
    context: transition.context,
    occurred_at: transition.occurredAt,
  };
}

export const isoTime = z.date().transform((date) => date.toISOString());

const json = z.string().transform((text): unknown => JSON.parse(text));

const storedJobSchema = z.object({
  job_id: jobIdSchema,
  status: jobStatusSchema,
  pipeline_id: z.string(),
  options: json.pipe(jobOptionsSchema),
  input_path: z.string(),
  output_path: z.string().nullable(),
  error_code: z.string().nullable(),
  error_message: z.string().nullable(),
  accepted_seq: z.bigint().transform(Number),
  revision: z.int(),
  attempt: z.int(),
  machine_version: z.int(),
  snapshot: z.string(),
  created_at: isoTime,
  updated_at: isoTime,
  expired_at: isoTime.nullable(),
  file_name: z.string().nullable(),
  tag: z.string().nullable(),
  media: json.pipe(mediaFactsSchema).nullable(),
});

const storedSummarySchema = storedJobSchema.pick({
  job_id: true,
  status: true,
  error_code: true,
  error_message: true,
  created_at: true,
  updated_at: true,
});
export const SUMMARY_COLUMNS = Object.keys(storedSummarySchema.shape).join();

const storedTransitionSchema = z.object({
  job_id: jobIdSchema,
  seq: z.int(),
  attempt: z.int(),
  from_state: jobStatusSchema.nullable(),
  event: z.string(),
  to_state: jobStatusSchema,
  context: z.string(),
  occurred_at: isoTime,
});

/** Returns a stored row as a job. Throws `job_unreadable` if it is not valid. */
export function parseJob(stored: unknown): Job {
  const row = parse(storedJobSchema, stored, 'jobs');
  return {
    jobId: row.job_id,
    status: row.status,
    pipelineId: row.pipeline_id,
    options: row.options,
    inputPath: row.input_path,
    outputPath: row.output_path,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    acceptedSeq: row.accepted_seq,
    revision: row.revision,
    attempt: row.attempt,
    machineVersion: row.machine_version,
    snapshot: row.snapshot,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    expiredAt: row.expired_at,
    fileName: row.file_name,
    tag: row.tag,
    media: row.media,
  };
}

/** Returns some columns of a stored row as a job summary. Throws `job_unreadable` if they are not valid. */
export function parseSummary(stored: unknown): JobSummary {
  const row = parse(storedSummarySchema, stored, 'jobs');
  return {
    jobId: row.job_id,
    status: row.status,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Returns a stored row as a transition. Throws `job_unreadable` if it is not valid. */
export function parseTransition(stored: unknown): JobTransition {
  const row = parse(storedTransitionSchema, stored, 'job_transitions');
  return {
    jobId: row.job_id,
    seq: row.seq,
    attempt: row.attempt,
    fromState: row.from_state,
    event: row.event,
    toState: row.to_state,
    context: row.context,
    occurredAt: row.occurred_at,
  };
}

function parse<T>(schema: z.ZodType<T>, stored: unknown, table: string): T {
  try {
    return schema.parse(stored);
  } catch (cause) {
    throw new ServiceError('job_unreadable', `a row of ${table} cannot be read`, { cause });
  }
}
