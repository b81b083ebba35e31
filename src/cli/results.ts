import { Command, Option } from 'commander';
import { connect } from './connection.ts';
import type { SegmentKind } from '../client/responses.ts';
import { RESULT_FORMATS, resultsText, SEGMENT_KINDS, type ResultFormat } from './results-text.ts';
import { ResultPaths } from './result-paths.ts';
import { saveText } from './save-text.ts';
import type { Terminal } from './terminal.ts';

interface ResultsFlags {
  readonly format: ResultFormat;
  readonly segments?: SegmentKind;
  readonly output?: string;
  readonly raw?: true;
}

export function resultsCommand(terminal: Terminal): Command {
  return new Command('results')
    .description('print the results of a completed job')
    .argument('<job_id>')
    .addOption(new Option('--format <format>', 'output format').choices(RESULT_FORMATS).default('json'))
    .addOption(
      new Option('--segments <kind>', 'what is seen from when to when, instead of frames').choices(SEGMENT_KINDS),
    )
    .option('--output <path>', 'save to a file, into a folder, or by a pattern such as {name}.srt')
    .option('--raw', 'csv for programs: no mark before cells that a spreadsheet would compute')
    .addHelpText(
      'after',
      `
json is the document of the service, one frame per line; csv and table have one row per object and line of text.
srt and vtt are subtitles, made from scenes; txt has a line with times for each text, or for what --segments names.
--segments also has json and csv. In a pattern, {name} is the file name of the video without its ending.

Examples:
  reelstate results 01a202dc-a330-70d6-9579-7f667142a725 | grep EXIT
  reelstate results --format srt --output video.srt 01a202dc-a330-70d6-9579-7f667142a725
  reelstate results --format csv --output found.csv 01a202dc-a330-70d6-9579-7f667142a725`,
    )
    .action(async (jobId: string, { format, segments, output, raw }: ResultsFlags, command: Command) => {
      if (format === 'table' && segments !== undefined) command.error('error: --segments has no format table');
      if (raw === true && (format !== 'csv' || segments !== undefined)) {
        command.error('error: --raw is for --format csv without --segments');
      }
      const { client, json } = connect(command);
      const choice = { format: json ? 'json' : format, segments };
      const text = resultsText(client, jobId, { ...choice, raw: raw === true, signal: terminal.signal });
      if (output === undefined) {
        for await (const piece of text) await terminal.write(piece);
        return;
      }
      const paths = new ResultPaths(output);
      const { file_name: name } = paths.usesName ? await client.job(jobId, terminal) : { file_name: null };
      await saveText(await paths.pathFor({ jobId, fileName: name ?? undefined, ...choice }), text);
    });
}
