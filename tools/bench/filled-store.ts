import { z } from 'zod';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import { Database } from '../../src/store/database.ts';
import { migrateUp } from '../../src/store/migrate.ts';

export const SNAPSHOT = JSON.stringify({
  status: 'active',
  value: 'pending',
  context: { attempt: 0, interruptions: 0, maxAttempts: 3, outputPath: null, errorCode: null, errorMessage: null },
  historyValue: {},
  children: {},
});
export const CONTEXT = JSON.stringify({
  attempt: 1,
  interruptions: 0,
  maxAttempts: 3,
  outputPath: null,
  errorCode: null,
});

const ROWS_AT_ONCE = 200_000;

export interface FillOptions {
  readonly completed: number;
  readonly pending: number;
  /** Number of ids of completed jobs to return, of each kind. */
  readonly sample: number;
}

export interface SampleIds {
  readonly newest: readonly JobId[];
  readonly fromAllOver: readonly JobId[];
  /** The first pending job; undefined if there is none. */
  readonly firstWaiting: JobId | undefined;
}

/** Creates a database of jobs with three transitions each. */
export async function fillStore(path: string, { completed, pending, sample }: FillOptions): Promise<SampleIds> {
  const database = await Database.open(path);
  try {
    const connection = await database.connect();
    await migrateUp(connection);
    const hex = `lpad(to_hex(1700000000000 + i), 12, '0')`;
    const id = `(${hex}[:8] || '-' || ${hex}[9:] || '-7000-8' || md5(i::VARCHAR)[:3] || '-' || md5(i::VARCHAR)[4:15])::UUID`;
    const at = 'make_timestamp((1700000000000 + i) * 1000)';
    const rows = completed + pending;
    for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
      const range = `range(${from}, ${Math.min(rows, from + ROWS_AT_ONCE)}) jobs(i)`;
      await connection.run(`INSERT INTO jobs BY NAME SELECT ${id} AS job_id,
        CASE WHEN i < ${completed} THEN 'completed' ELSE 'pending' END AS status,
        CASE WHEN i < ${completed} THEN ${id} || '_results.json' END AS output_path,
        'ocr_only' AS pipeline_id, '{"frame_stride":1}' AS options, ${id} || '.mp4' AS input_path,
        i + 1 AS accepted_seq, 3 AS revision, 1 AS attempt, 1 AS machine_version, replace('${SNAPSHOT}', '"outputPath":null', '"outputPath":"' || ${id} || '_results.json"') AS snapshot,
        ${at} AS created_at, ${at} AS updated_at FROM ${range}`);
      await connection.run(`INSERT INTO job_transitions BY NAME SELECT ${id} AS job_id, seq, 1 AS attempt,
        'pending' AS from_state, 'START' AS event, 'running' AS to_state, '${CONTEXT}' AS context,
        ${at} AS occurred_at FROM ${range}, range(1, 4) steps(seq)`);
    }
    await connection.run('CHECKPOINT');
    const ids = async (status: string, order: string, limit: number): Promise<readonly JobId[]> => {
      const sql = `SELECT job_id::VARCHAR FROM jobs WHERE status = '${status}' ORDER BY ${order} LIMIT ${limit}`;
      const found = await connection.runAndReadAll(sql);
      return z.array(jobIdSchema).parse(found.getRowsJS().map(([jobId]) => jobId));
    };
    const [firstWaiting] = await ids('pending', 'accepted_seq', 1);
    return {
      newest: await ids('completed', 'accepted_seq DESC', sample),
      fromAllOver: await ids('completed', 'hash(job_id)', sample),
      firstWaiting,
    };
  } finally {
    database.close();
  }
}
