import { Command, Option } from 'commander';
import { connect } from './connection.ts';
import { RESULT_FORMATS, resultsText, type ResultFormat } from './results-text.ts';
import { resultsPath, saveText } from './save-text.ts';
import type { Terminal } from './terminal.ts';

interface ResultsFlags {
  readonly format: ResultFormat;
  readonly output?: string;
}

export function resultsCommand(terminal: Terminal): Command {
  return new Command('results')
    .description('print the results of a completed job')
    .argument('<job_id>')
    .addOption(new Option('--format <format>', 'output format').choices(RESULT_FORMATS).default('json'))
    .option('--output <path>', 'save to a file or into a folder')
    .addHelpText(
      'after',
      `
json is the document of the service, one frame per line; csv and table have one row per object and line of text.

Examples:
  reelstate results 01a202dc-a330-70d6-9579-7f667142a725 | grep EXIT
  reelstate results --format csv --output found.csv 01a202dc-a330-70d6-9579-7f667142a725`,
    )
    .action(async (jobId: string, { format, output }: ResultsFlags, command: Command) => {
      const { client, json } = connect(command);
      const text = resultsText(client, jobId, { format: json ? 'json' : format, signal: terminal.signal });
      if (output !== undefined) await saveText(await resultsPath(output, jobId), text);
      else for await (const piece of text) await terminal.write(piece);
    });
}
