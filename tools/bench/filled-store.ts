import { JOB_MACHINE_VERSION } from '../../machines/job.ts';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import { Database } from '../../src/store/database.ts';
import { migrateUp } from '../../src/store/migrate.ts';

/** Jobs written in one statement. */
const JOBS_AT_ONCE = 200_000;
const SAMPLE = 2_000;

const CONTEXT = { attempt: 0, interruptions: 0, maxAttempts: 3, outputPath: null, errorCode: null, errorMessage: null };
export const PENDING_SNAPSHOT = JSON.stringify({
  status: 'active',
  value: 'pending',
  context: CONTEXT,
  historyValue: {},
  children: {},
});
export const TRANSITION_CONTEXT = JSON.stringify(CONTEXT);

/**
 * Makes a database of so many completed jobs, three transitions each, and so many that wait behind them, one.
 * Resolves with some of their ids, and with that of the first that waits.
 */
export async function fillStore(
  path: string,
  { completed, pending }: { readonly completed: number; readonly pending: number },
): Promise<{ readonly sample: readonly JobId[]; readonly first: JobId | undefined }> {
  const database = await Database.open(path);
  const connection = await database.connect();
  await migrateUp(connection);
  const at = `make_timestamp((1700000000000 + i) * 1000)`;
  const hex = `lpad(to_hex(1700000000000 + i), 12, '0')`;
  const id = `(${hex}[:8] || '-' || ${hex}[9:] || '-7000-8' || md5(i::VARCHAR)[:3] || '-' || md5(i::VARCHAR)[4:15])::UUID`;
  const all = completed + pending;
  for (let from = 0; from < all; from += JOBS_AT_ONCE) {
    const range = `range(${from}, ${Math.min(all, from + JOBS_AT_ONCE)}) jobs(i)`;
    const isDone = `i < ${completed}`;
    await connection.run(
      `INSERT INTO jobs (job_id, status, pipeline_id, options, input_path, output_path, accepted_seq, revision, attempt,
         machine_version, snapshot, created_at, updated_at)
       SELECT ${id}, CASE WHEN ${isDone} THEN 'completed' ELSE 'pending' END, 'ocr_only', '{"frame_stride":1}',
         ${id} || '.mp4', CASE WHEN ${isDone} THEN ${id} || '_results.json' END, i + 1,
         CASE WHEN ${isDone} THEN 3 ELSE 1 END, CASE WHEN ${isDone} THEN 1 ELSE 0 END, ${JOB_MACHINE_VERSION},
         '${PENDING_SNAPSHOT}', ${at}, ${at} FROM ${range}`,
    );
    await connection.run(
      `INSERT INTO job_transitions (job_id, seq, attempt, from_state, event, to_state, context, occurred_at)
       SELECT ${id}, seq, 1, 'pending', 'START', 'running', '${TRANSITION_CONTEXT}', ${at}
       FROM ${range}, range(1, 4) steps(seq) WHERE ${isDone} OR seq = 1`,
    );
  }
  await connection.run('CHECKPOINT');
  const ids = async (query: string): Promise<readonly JobId[]> =>
    (await connection.runAndReadAll(query)).getRows().map(([found]) => jobIdSchema.parse(String(found)));
  const sample = await ids(`SELECT job_id FROM jobs USING SAMPLE ${SAMPLE}`);
  const [first] = await ids(`SELECT job_id FROM jobs WHERE status = 'pending' ORDER BY accepted_seq LIMIT 1`);
  database.close();
  return { sample, first };
}
