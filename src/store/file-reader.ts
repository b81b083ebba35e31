import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { jobIdSchema, jobStatusSchema, type JobId, type JobStatus } from '../job.ts';
import type { JobPlace, JobRetentionState, SubmissionKey } from './job-store.ts';
import { isoTime, uuidValue } from './rows.ts';

const placeSchema = z.object({
  job_id: jobIdSchema,
  accepted_seq: z.bigint().transform(Number),
  attempt: z.int().catch(0),
});
/** An unreadable state counts as not ended, so that nothing is deleted. */
const standingSchema = z.object({
  job_id: jobIdSchema,
  status: jobStatusSchema.catch('pending'),
  expired_at: isoTime.nullable(),
});
const submissionSchema = z.object({ job_id: jobIdSchema, fingerprint: z.string() });
const idSchema = z.object({ job_id: jobIdSchema });

/** Narrow reads for recovery and maintenance: few columns of many rows. */

export async function placesIn(
  connection: DuckDBConnection,
  status: JobStatus,
  afterSeq: number,
  limit: number,
): Promise<readonly JobPlace[]> {
  const stored = await connection.runAndReadAll(
    `SELECT job_id, accepted_seq, attempt FROM jobs WHERE status = $1 AND accepted_seq > $2
     ORDER BY accepted_seq LIMIT $3`,
    [status, BigInt(afterSeq), BigInt(limit)],
  );
  return stored.getRowObjectsJS().map((row) => {
    const { job_id: jobId, accepted_seq: acceptedSeq, attempt } = placeSchema.parse(row);
    return { jobId, acceptedSeq, attempt };
  });
}

export async function retentionStatesOf(
  connection: DuckDBConnection,
  jobIds: readonly JobId[],
): Promise<ReadonlyMap<JobId, JobRetentionState>> {
  if (jobIds.length === 0) return new Map();
  const list = jobIds.map((id) => `'${uuidValue(id).toString()}'::UUID`).join();
  const stored = await connection.runAndReadAll(
    `SELECT job_id, status, expired_at FROM jobs WHERE job_id IN (${list})`,
  );
  return new Map(
    stored.getRowObjectsJS().map((row) => {
      const { job_id: jobId, status, expired_at: expiredAt } = standingSchema.parse(row);
      return [jobId, { status, expiredAt }];
    }),
  );
}

export async function endedBefore(
  connection: DuckDBConnection,
  time: string,
  limit: number,
): Promise<readonly JobId[]> {
  const stored = await connection.runAndReadAll(
    `SELECT job_id FROM jobs WHERE status IN ('completed', 'failed') AND expired_at IS NULL AND updated_at < $1::TIMESTAMP
     ORDER BY updated_at LIMIT $2`,
    [time.replace('Z', ''), BigInt(limit)],
  );
  return stored.getRowObjectsJS().map((row) => idSchema.parse(row).job_id);
}

export async function forgettable(
  connection: DuckDBConnection,
  time: string,
  limit: number,
): Promise<readonly JobId[]> {
  const stored = await connection.runAndReadAll(
    `SELECT job_id FROM jobs WHERE status IN ('completed', 'failed') AND updated_at < $1::TIMESTAMP
     ORDER BY updated_at LIMIT $2`,
    [time.replace('Z', ''), BigInt(limit)],
  );
  return stored.getRowObjectsJS().map((row) => idSchema.parse(row).job_id);
}

export async function findSubmission(
  connection: DuckDBConnection,
  { owner, keySha256 }: Pick<SubmissionKey, 'owner' | 'keySha256'>,
  since: string,
): Promise<{ readonly jobId: JobId; readonly fingerprint: string } | undefined> {
  const stored = await connection.runAndReadAll(
    `SELECT job_id, fingerprint FROM idempotency_keys
     WHERE key_sha256 = $1 AND owner = $2 AND created_at >= $3::TIMESTAMP ORDER BY created_at DESC LIMIT 1`,
    [keySha256, owner, since.replace('Z', '')],
  );
  const [row] = stored.getRowObjectsJS();
  if (row === undefined) return undefined;
  const { job_id: jobId, fingerprint } = submissionSchema.parse(row);
  return { jobId, fingerprint };
}
