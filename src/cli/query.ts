import { Command, Option } from 'commander';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { text } from 'node:stream/consumers';
import type { QueryOptions, TextFormat } from '../query/query-results.ts';
import { saveWhole } from '../query/save-whole.ts';

/** The part of a terminal that the command uses. */
export interface QueryTerminal {
  /** Aborted when the command must end. */
  readonly signal: AbortSignal;
  /** Prints to stdout. Resolves when it accepts more. */
  write(text: string): Promise<void>;
}

interface QueryFlags {
  readonly dataDir: string;
  readonly format?: (typeof FORMATS)[number];
  readonly output?: string;
  readonly force?: true;
  readonly raw?: true;
}

const FORMATS = ['table', 'csv', 'json', 'parquet'] as const;

export function queryCommand(terminal: QueryTerminal): Command {
  return new Command('query')
    .description('run SQL over the results of all videos')
    .argument('<sql>', 'one SELECT in the dialect of DuckDB, or - to read it from stdin')
    .addOption(new Option('--data-dir <folder>', "the service's data folder").env('DATA_DIR').default('./data'))
    .addOption(
      new Option('--format <format>', 'output format (default: by the name of the output, else table)').choices(
        FORMATS,
      ),
    )
    .option('--output <file>', 'write to a file, atomically')
    .option('--force', 'replace the file if it exists')
    .option('--raw', 'csv for programs: no mark before cells that a spreadsheet would compute')
    .addHelpText(
      'after',
      `
Views: jobs, frames, detections, texts, segments, tracks, damaged.
FROM (DESCRIBE frames) lists the columns of a view.
Reads the files of the data folder. The service may be running or stopped.

Examples:
  reelstate query "SELECT label, count(*) FROM detections GROUP BY ALL ORDER BY ALL"
  reelstate query --output exits.parquet "SELECT * FROM texts WHERE text ILIKE '%exit%'"
  reelstate query - < report.sql`,
    )
    .action(async (argument: string, flags: QueryFlags, command: Command) => {
      const { dataDir, output, force = false } = flags;
      const format = flags.format ?? formatOf(output, command.optsWithGlobals<{ readonly json?: boolean }>().json);
      if (format === 'parquet' && output === undefined) {
        command.error('error: --format parquet needs --output', { exitCode: 2 });
      }
      if (flags.raw === true && format !== 'csv') command.error('error: --raw is for --format csv', { exitCode: 2 });
      const textFormat = (wanted: Exclude<typeof format, 'parquet'>): TextFormat =>
        wanted === 'csv' && flags.raw === true ? 'raw csv' : wanted;
      const sql = argument === '-' ? await text(process.stdin) : argument;
      // Imported here, so that the other commands do not load the database.
      const { queryParquet, queryText } = await import('../query/query-results.ts');
      const query: QueryOptions = { dataDir, sql, signal: terminal.signal };
      if (output === undefined) {
        if (format === 'parquet') return;
        for await (const piece of queryText({ ...query, format: textFormat(format) })) await terminal.write(piece);
        return;
      }
      await saveWhole(output, { force, dataDir }, async (draft) => {
        if (format === 'parquet') return queryParquet({ ...query, exportPath: draft });
        await using file = await open(draft, 'wx');
        for await (const piece of queryText({ ...query, format: textFormat(format) })) await file.appendFile(piece);
      });
    });
}

function formatOf(output: string | undefined, json = false): (typeof FORMATS)[number] {
  const named = FORMATS.find((format) => extname(output ?? '') === `.${format}`);
  return named ?? (json ? 'json' : 'table');
}
