import { Command } from 'commander';
import { resolve } from 'node:path';
import { parseConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';

export function importCommand(terminal: Terminal): Command {
  return new Command('import')
    .description('create finished jobs from the results of analyse')
    .argument('<results...>', 'records ({name}_analysis.json), results with a record beside them, or folders')
    .addHelpText(
      'after',
      `
Works on the data folder in DATA_DIR (./data by default). Stop the service first: only one process can own the folder.
Hashes, format, order and bounds of the results are checked; segments are computed again. The same analysis is imported
once, because its job id follows from its content. The videos stay where they are, so an imported job has results,
segments and SQL rows, and no video (410). Records that are rejected are reported on stderr, the others are
imported, and the exit code is 3.

Examples:
  reelstate import results
  DATA_DIR=/srv/videos reelstate import --json node-*/results`,
    )
    .action(async (paths: readonly string[], _: object, command: Command) => {
      const { json } = command.optsWithGlobals<{ readonly json: boolean }>();
      const config = parseConfig({ LOG_LEVEL: 'error', ...process.env });
      // Imported here, because it loads the database.
      const { importAnalyses, recordsIn } = await import('../maintenance/import-analyses.ts');
      const records = await recordsIn(paths);
      if (records.length === 0) {
        return terminal.fail('reelstate: there is no record ({name}_analysis.json) in these folders', 1);
      }
      const imports = importAnalyses(records, {
        dataDir: resolve(config.DATA_DIR),
        maxAttempts: config.MAX_ATTEMPTS,
        maxResultsBytes: config.MAX_RESULTS_BYTES,
        keepFileNames: config.KEEP_FILE_NAMES,
        log: createLog(config.LOG_LEVEL),
        signal: terminal.signal,
      });
      let done = 0;
      for await (const imported of imports) {
        done += 1;
        const { status, path } = imported;
        if (imported.status === 'rejected') {
          terminal.fail(`${path}: ${imported.reason}`, 3);
          if (json) await terminal.printJson({ status, file: path, reason: imported.reason });
        } else {
          const { jobId, fileName } = imported;
          await (json
            ? terminal.printJson({ status, file: path, job_id: jobId, file_name: fileName })
            : terminal.print(printable(`${jobId}  ${status.padEnd(8)}  ${fileName}`)));
        }
        terminal.line.bar('imported', done, records.length);
      }
      terminal.line.clear();
    });
}
