import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { jobOptionsSchema, jobStatusSchema, type JobTransition } from '../job.ts';
import type { Condemnation, Condemned } from './job-store.ts';
import { uuidValue } from './rows.ts';

const rawSchema = z.object({
  status: z.unknown(),
  options: z.string().nullable(),
  snapshot: z.string().nullable(),
  machine_version: z.unknown(),
  revision: z.int().min(0).catch(0),
  attempt: z.int().min(0).catch(0),
});

/**
 * Ends a job without parsing its row. Returns undefined and writes nothing if the job has ended or is unknown. If it
 * throws, its transaction may be open.
 */
export async function condemn(
  connection: DuckDBConnection,
  { jobId, ...end }: Condemnation,
): Promise<Condemned | undefined> {
  const found = await connection.runAndReadAll(
    `SELECT status, options, snapshot, machine_version, revision, attempt FROM jobs
     WHERE job_id = $1 AND status IS DISTINCT FROM 'completed' AND status IS DISTINCT FROM 'failed'`,
    [uuidValue(jobId)],
  );
  const [row] = found.getRowObjectsJS();
  if (row === undefined) return undefined;
  const { status, options, snapshot, machine_version: machineVersion, revision, attempt } = rawSchema.parse(row);
  const transition: JobTransition = {
    jobId,
    seq: revision + 1,
    attempt,
    fromState: jobStatusSchema.safeParse(status).data ?? null,
    event: 'FAIL',
    toState: end.status,
    context: end.context,
    occurredAt: end.updatedAt,
  };
  const at = end.updatedAt.replace('Z', '');
  await connection.run('BEGIN');
  await connection.run(
    `UPDATE jobs SET status = $2, options = $3, output_path = NULL, error_code = $4, error_message = $5,
       revision = $6::INTEGER, attempt = $7::INTEGER, machine_version = $8::INTEGER, snapshot = $9,
       updated_at = $10::TIMESTAMP
     WHERE job_id = $1`,
    [
      uuidValue(jobId),
      end.status,
      areOptions(options) ? options : JSON.stringify(jobOptionsSchema.parse({})),
      end.errorCode,
      end.errorMessage,
      transition.seq,
      attempt,
      end.machineVersion,
      end.snapshot,
      at,
    ],
  );
  await connection.run(
    `INSERT INTO job_transitions (job_id, seq, attempt, from_state, event, to_state, context, occurred_at)
     VALUES ($1, $2::INTEGER, $3::INTEGER, $4, $5, $6, $7, $8::TIMESTAMP)`,
    [
      uuidValue(jobId),
      transition.seq,
      attempt,
      transition.fromState,
      transition.event,
      transition.toState,
      transition.context,
      at,
    ],
  );
  await connection.run('COMMIT');
  return { before: { options, snapshot, machineVersion }, transition };
}

function areOptions(text: string | null): text is string {
  try {
    return text !== null && jobOptionsSchema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
