import { join } from 'node:path';
import { ownDataFolder } from '../data-folder.ts';
import { createLog } from '../log.ts';
import { Database } from '../store/database.ts';
import { migrateDown, migrateUp, migrationStatus, type Migration } from '../store/migrate.ts';
import { rebuild } from './rebuild.ts';

/** Steps on the database of a stopped service, with their messages. */
export const MIGRATE_STEPS = {
  up: 'applies every migration that waits',
  down: 'reverts the last one, AND DELETES WHAT ITS TABLES HOLD',
  status: 'lists them',
  rebuild:
    'brings back, from the files beside the videos, the jobs that the database has lost; what is damaged is set aside',
} as const;
export type MigrateStep = keyof typeof MIGRATE_STEPS;

export interface MigrateOptions {
  /** The data folder of the service; created if missing. */
  readonly dataDir: string;
  /** Lost attempts after which a restored job fails. */
  readonly maxAttempts: number;
}

/**
 * Migrates the schema or restores rows. Resolves with one message per line. The service applies `up` by itself. Rejects
 * with `store_unavailable` and changes nothing if a service has the folder.
 */
export async function migrateDatabase(step: MigrateStep, options: MigrateOptions): Promise<readonly string[]> {
  return step === 'rebuild' ? rebuilt(options) : moved(step, options.dataDir);
}

async function rebuilt({ dataDir, maxAttempts }: MigrateOptions): Promise<readonly string[]> {
  const jobs = await rebuild(dataDir, maxAttempts, createLog('warn'));
  return Object.entries(jobs).map(([status, count]) => `${status.padEnd(10)} ${count}`);
}

async function moved(step: 'up' | 'down' | 'status', dataDir: string): Promise<readonly string[]> {
  const ownership = await ownDataFolder(dataDir, createLog('warn'));
  try {
    const database = await Database.open(join(dataDir, 'jobs.duckdb'));
    try {
      const connection = await database.connect();
      if (step === 'up') return (await migrateUp(connection)).map((migration) => lineOf(migration));
      if (step === 'status') return (await migrationStatus(connection)).map((migration) => lineOf(migration));
      const reverted = await migrateDown(connection);
      return [reverted === undefined ? 'nothing to revert' : `reverted ${lineOf({ ...reverted, appliedAt: null })}`];
    } finally {
      database.close();
    }
  } finally {
    ownership.release();
  }
}

function lineOf({ version, name, appliedAt }: Migration): string {
  return `${String(version).padStart(4, '0')} ${name.padEnd(20)} ${appliedAt ?? 'waits'}`;
}
