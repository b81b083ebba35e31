import { Argument, Command } from 'commander';
import { resolve } from 'node:path';
import { parseConfig } from '../config.ts';
import type { MigrateStep } from '../maintenance/migrate-database.ts';
import type { Terminal } from './terminal.ts';

export function migrateCommand(terminal: Terminal): Command {
  return new Command('migrate')
    .description('migrate the database schema by hand, or restore its rows')
    .addArgument(new Argument('<step>', 'action').choices(['up', 'down', 'status', 'rebuild']))
    .addHelpText(
      'after',
      `
  up       applies all pending migrations; the service does so at every start
  down     reverts the last migration AND DELETES THE DATA OF ITS TABLES AND COLUMNS
  status   lists the migrations
  rebuild  restores jobs that the database has lost from the files beside the videos

Works on jobs.duckdb in DATA_DIR (./data by default). Stop the service first: only one process can open the file.

Example:
  reelstate migrate status`,
    )
    .action(async (step: MigrateStep) => {
      // Imported here, because it loads the database.
      const { migrateDatabase } = await import('../maintenance/migrate-database.ts');
      const { DATA_DIR: dataDir, MAX_ATTEMPTS: maxAttempts } = parseConfig(process.env);
      for (const line of await migrateDatabase(step, { dataDir: resolve(dataDir), maxAttempts })) {
        await terminal.print(line);
      }
    });
}
