import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import type { JobTransition } from '../job.ts';
import type { JobEnds } from './job-store.ts';
import { parseTransition, TRANSITION_COLUMNS } from './rows.ts';

const spreadSchema = z
  .tuple([z.bigint().transform(Number), z.bigint().transform(Number)])
  .transform(([p50, p95]) => ({ p50, p95 }))
  .nullable();
const endsSchema = z.object({
  is_total: z.boolean(),
  status: z.string().nullable(),
  error_code: z.string().nullable(),
  jobs: z.bigint().transform(Number),
  wait: spreadSchema,
  run: spreadSchema,
});

/** `quantile_disc` is the percentile by nearest rank (Hyndman and Fan 1996, definition 1). */
const ENDS = `
  WITH ended AS (
    SELECT job_id, status, error_code, created_at, updated_at FROM jobs
    WHERE updated_at >= $1::TIMESTAMP AND status IN ('completed', 'failed')
  ), timed AS (
    SELECT status, error_code,
      epoch_ms(min(occurred_at)) - epoch_ms(created_at) AS wait,
      epoch_ms(updated_at) - epoch_ms(max(occurred_at)) AS run
    FROM ended LEFT JOIN job_transitions steps ON steps.job_id = ended.job_id AND to_state = 'running'
    GROUP BY ended.job_id, status, error_code, created_at, updated_at
  )
  SELECT grouping(status) = 1 AS is_total, status, error_code, count(*) AS jobs,
    quantile_disc(wait, [0.5, 0.95]) AS wait, quantile_disc(run, [0.5, 0.95]) AS run
  FROM timed GROUP BY GROUPING SETS ((status, error_code), ())`;

export async function endsSince(connection: DuckDBConnection, time: string): Promise<JobEnds> {
  const stored = await connection.runAndReadAll(ENDS, [time.replace('Z', '')]);
  const rows = stored.getRowObjectsJS().map((row) => endsSchema.parse(row));
  const total = rows.find((row) => row.is_total);
  const of = (status: string) => rows.filter((row) => !row.is_total && row.status === status);
  return {
    completed: of('completed').reduce((sum, { jobs }) => sum + jobs, 0),
    failed: Object.fromEntries(of('failed').map(({ error_code: code, jobs }) => [code ?? 'unknown', jobs])),
    waitMs: total?.wait ?? null,
    runMs: total?.run ?? null,
  };
}

export async function latestTransitions(
  connection: DuckDBConnection,
  limit: number,
): Promise<readonly JobTransition[]> {
  const stored = await connection.runAndReadAll(
    `SELECT ${Object.keys(TRANSITION_COLUMNS).join()} FROM job_transitions ORDER BY occurred_at DESC, seq DESC LIMIT $1`,
    [BigInt(limit)],
  );
  return stored.getRowObjectsJS().flatMap(readable).toReversed();
}

function readable(row: unknown): readonly JobTransition[] {
  try {
    return [parseTransition(row)];
  } catch {
    // Its job reports the damage when it is read.
    return [];
  }
}
