import { open, rm } from 'node:fs/promises';
import { ServiceError } from '../errors.ts';
import { damagedPartIn } from './damage.ts';
import { Database, isInvalidated } from './database.ts';
import { migrateUp, migrationStatus } from './migrate.ts';
import { rowRanges } from './row-ranges.ts';

/** Jobs with an incomplete history. They are restored from their sidecars, with a complete one. */
const BROKEN_HISTORY = `
  SELECT job_id FROM jobs EXCEPT
  SELECT job_id FROM jobs JOIN job_transitions USING (job_id) GROUP BY job_id, revision
  HAVING count(*) = revision AND count(DISTINCT seq) = revision AND min(seq) = 1 AND max(seq) = revision`;

/**
 * Copies the readable part of a damaged database into a new one at `target`: jobs with all of their transitions, and
 * their idempotency keys. Rejects like `Database.open` if the database cannot be opened or is of a newer release.
 */
export async function salvage(path: string, target: string): Promise<void> {
  for (const file of [target, `${target}.wal`]) await rm(file, { force: true });
  const database = await Database.open(target);
  try {
    const connection = await database.connect();
    await migrateUp(connection);
    await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS damaged (READ_ONLY)`);
    await connection.run('USE damaged');
    await migrationStatus(connection).catch((error: unknown) => {
      if (error instanceof ServiceError && error.code === 'schema_too_new') throw error;
    });
    await connection.run('USE store');
    for (const { table, from, to } of await rowRanges(connection, 'damaged')) {
      try {
        await connection.run(
          `INSERT INTO store.${table} BY NAME SELECT * FROM damaged.${table} WHERE rowid >= ${from} AND rowid < ${to}`,
        );
      } catch (error) {
        if (damagedPartIn(error) === undefined || isInvalidated(error)) throw error;
      }
    }
    await connection.run('DETACH damaged');
    await connection.run(`DELETE FROM jobs WHERE job_id IN (${BROKEN_HISTORY})`);
    await connection.run('DELETE FROM job_transitions WHERE job_id NOT IN (SELECT job_id FROM jobs)');
    await connection.run('DELETE FROM idempotency_keys WHERE job_id NOT IN (SELECT job_id FROM jobs)');
    await connection.run('CHECKPOINT');
  } finally {
    database.close();
  }
  const file = await open(target);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
