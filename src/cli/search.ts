import { Command, Option } from 'commander';
import type { SearchHit } from '../client/responses.ts';
import { formatTimecode } from '../web/duration.ts';
import { connect, wholeNumber } from './connection.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';

interface SearchFlags {
  readonly label?: string;
  readonly from?: string;
  readonly to?: string;
  readonly pipeline?: string;
  readonly limit: number;
}

/** Videos per request. */
const PAGE = 100;

export function searchCommand(terminal: Terminal): Command {
  return new Command('search')
    .description('find texts and objects in all videos')
    .argument('[words...]', 'words in any order and "phrases"')
    .option('--label <label>', 'only videos with this class of object, such as car')
    .option('--from <time>', 'only videos accepted at or after this date or time')
    .option('--to <time>', 'only videos accepted before this date or time')
    .option('--pipeline <id>', 'only videos analysed by this pipeline')
    .addOption(new Option('--limit <n>', 'maximum number of videos').argParser(wholeNumber).default(20))
    .addHelpText(
      'after',
      `
Prints one line per place: job id, file name, start and end, and the text or label. Exact hits come first.
Case and diacritics do not matter. Words of five or more letters are also found with one letter wrong.

Examples:
  reelstate search payment failed
  reelstate search '"payment failed"' --from 2026-01-31
  reelstate search --label car --json`,
    )
    .action(
      async (words: readonly string[], { pipeline: pipelineId, limit, ...filter }: SearchFlags, command: Command) => {
        if (words.length === 0 && filter.label === undefined) command.error('error: words or --label are missing');
        const { client, json } = connect(command);
        const text = words.length === 0 ? undefined : words.join(' ');
        let left = limit;
        let cursor: string | undefined;
        do {
          const page = await client.search({
            ...filter,
            text,
            pipelineId,
            limit: Math.min(left, PAGE),
            cursor,
            signal: terminal.signal,
          });
          for (const hit of page.hits) {
            if (json) await terminal.printJson(hit);
            else for (const line of hitLines(hit)) await terminal.print(line);
          }
          if (!page.complete) terminal.note('The search index does not have all videos yet.');
          left -= page.hits.length;
          cursor = page.next_cursor ?? undefined;
        } while (cursor !== undefined && left > 0);
      },
    );
}

/** One line per position in the video; one if only the name matches. */
function hitLines({
  job_id: jobId,
  file_name: name,
  in_name: isInName,
  matches,
  segments,
}: SearchHit): readonly string[] {
  const video = [jobId, ...(name === null ? [] : [name])];
  const places = segments.map((segment) => [
    `${formatTimecode(segment.start_ms)}–${formatTimecode(segment.end_ms)}`,
    segment.kind === 'object' ? segment.label : segment.text.replaceAll('\n', ' / '),
  ]);
  const more = matches > segments.length ? [[`and ${matches - segments.length} more`]] : [];
  const named = isInName && places.length === 0 ? [['in the name']] : [];
  return [...places, ...more, ...named].map((columns) => printable([...video, ...columns].join('  ')));
}
