/** `npm run migrate -- up|down|status|rebuild`: moves the schema of the database by hand, or brings its rows back. The service applies `up` by itself. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseConfig } from '../src/config.ts';
import { messageOf } from '../src/errors.ts';
import { createLog } from '../src/log.ts';
import { Database } from '../src/store/database.ts';
import { migrateDown, migrateUp, migrationStatus, type Migration } from '../src/store/migrate.ts';
import { rebuild } from './rebuild.ts';

const HELP = `Usage: npm run migrate -- up|down|status|rebuild

  up      applies every migration that waits
  down    reverts the last one, AND DELETES WHAT ITS TABLES HOLD
  status  lists them
  rebuild brings back, from the files beside the videos, the jobs that the database has lost; what is damaged is set aside

The database is jobs.duckdb in the folder DATA_DIR (default ./data). Stop the service first: one process has the file.
`;

function lineOf({ version, name, appliedAt }: Migration): string {
  return `${String(version).padStart(4, '0')} ${name.padEnd(20)} ${appliedAt ?? 'waits'}\n`;
}

async function run(command: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (command === 'rebuild') {
    const { MAX_ATTEMPTS: maxAttempts } = parseConfig(process.env);
    const jobs = await rebuild(folder, maxAttempts, createLog('warn'));
    for (const [status, count] of Object.entries(jobs)) process.stdout.write(`${status.padEnd(10)} ${count}\n`);
    return;
  }
  const database = await Database.open(join(folder, 'jobs.duckdb'));
  try {
    const connection = await database.connect();
    if (command === 'up') for (const migration of await migrateUp(connection)) process.stdout.write(lineOf(migration));
    if (command === 'status') {
      for (const migration of await migrationStatus(connection)) process.stdout.write(lineOf(migration));
    }
    if (command === 'down') {
      const reverted = await migrateDown(connection);
      process.stdout.write(
        reverted === undefined ? 'nothing to revert\n' : `reverted ${lineOf({ ...reverted, appliedAt: null })}`,
      );
    }
  } finally {
    database.close();
  }
}

const [command = ''] = process.argv.slice(2);
if (['--help', '-h', 'help'].includes(command)) {
  process.stdout.write(HELP);
} else if (!['up', 'down', 'status', 'rebuild'].includes(command)) {
  process.stderr.write(HELP);
  process.exitCode = 1;
} else {
  const folder = resolve(process.env['DATA_DIR'] ?? 'data');
  try {
    await run(command, folder);
  } catch (error) {
    const message = messageOf(error);
    const hint = message.includes('Could not set lock')
      ? '\nAnother process has the database open: stop the service first.'
      : '';
    process.stderr.write(`${message}${hint}\n`);
    process.exitCode = 1;
  }
}
