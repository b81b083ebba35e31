/**
 * `npm run migrate -- up|down|status|rebuild`: migrates the database schema by hand, or restores its rows. The service
 * applies `up` by itself.
 */
import { resolve } from 'node:path';
import { parseConfig } from '../src/config.ts';
import { messageOf, ServiceError } from '../src/errors.ts';
import { MIGRATE_STEPS, migrateDatabase, type MigrateStep } from '../src/maintenance/migrate-database.ts';

const HELP = `Usage: npm run migrate -- up|down|status|rebuild

${Object.entries(MIGRATE_STEPS)
  .map(([step, does]) => `  ${step.padEnd(7)} ${does}`)
  .join('\n')}

The database is jobs.duckdb in the folder DATA_DIR (default ./data). Stop the service first: one process has the file.
`;

function isStep(text: string): text is MigrateStep {
  return Object.hasOwn(MIGRATE_STEPS, text);
}

const [command = ''] = process.argv.slice(2);
if (['--help', '-h', 'help'].includes(command)) {
  process.stdout.write(HELP);
} else if (!isStep(command)) {
  process.stderr.write(HELP);
  process.exitCode = 1;
} else {
  try {
    const { DATA_DIR: dataDir, MAX_ATTEMPTS: maxAttempts } = parseConfig(process.env);
    for (const line of await migrateDatabase(command, { dataDir: resolve(dataDir), maxAttempts })) {
      process.stdout.write(`${line}\n`);
    }
  } catch (error) {
    const hint = error instanceof ServiceError && error.hint !== undefined ? `\n${error.hint}` : '';
    process.stderr.write(`${messageOf(error)}${hint}\n`);
    process.exitCode = 1;
  }
}
