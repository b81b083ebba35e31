import { Argument, Command } from 'commander';
import { resolve } from 'node:path';
import { parseConfig } from '../config.ts';
import type { MigrateStep } from '../maintenance/migrate-database.ts';
import type { Terminal } from './terminal.ts';

export function migrateCommand(terminal: Terminal): Command {
  return new Command('migrate')
    .description('move the schema of the database by hand, or bring its rows back')
    .addArgument(new Argument('<step>', 'what to do').choices(['up', 'down', 'status', 'rebuild']))
    .addHelpText(
      'after',
      `
  up       applies every migration that waits; the service does so at every start
  down     reverts the last one, AND DELETES WHAT ITS TABLES HOLD
  status   lists them
  rebuild  brings back, from the files beside the videos, the jobs that the database has lost

Works on jobs.duckdb in DATA_DIR (./data by default). Stop the service first: one process has the file.

Example:
  reelstate migrate status`,
    )
    .action(async (step: MigrateStep) => {
      // Not before: it loads the database's library.
      const { migrateDatabase } = await import('../maintenance/migrate-database.ts');
      const { DATA_DIR: dataDir, MAX_ATTEMPTS: maxAttempts } = parseConfig(process.env);
      for (const line of await migrateDatabase(step, { dataDir: resolve(dataDir), maxAttempts })) {
        await terminal.print(line);
      }
    });
}
