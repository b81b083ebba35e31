import { Command, InvalidArgumentError, Option } from 'commander';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { ReelstateError } from '../client/reelstate-error.ts';
import type { TextExpectation, TextVerdict } from '../client/expected-text.ts';
import { addAnalysisFlags, type AnalysisFlags } from './analysis-flags.ts';
import { connect, wholeNumber } from './connection.ts';
import { describeError } from './describe-error.ts';
import { duration } from './duration.ts';
import { jobLine } from './job-line.ts';
import { junitReport, verdictText } from './junit-report.ts';
import { saveText } from './save-text.ts';
import type { Terminal } from './terminal.ts';
import { isFileError, uploadFile } from './upload-file.ts';

interface ExpectFlags extends AnalysisFlags {
  readonly text?: readonly string[];
  readonly absent?: readonly string[];
  readonly regex?: true;
  readonly edits?: number;
  readonly within?: readonly [number, number];
  readonly atLeast?: number;
  readonly junit?: string;
  readonly still?: string;
}

export function expectCommand(terminal: Terminal): Command {
  const command = new Command('expect')
    .description('analyse a video and check that texts are seen in it')
    .argument('<video>', 'an MP4 file, or the id of a completed job')
    .addOption(
      new Option('--text <text>', 'text of whole words that must be seen; may be given several times').argParser(
        collected,
      ),
    )
    .addOption(
      new Option('--absent <text>', 'text that must not be seen; may be given several times').argParser(collected),
    )
    .option('--regex', 'texts are regular expressions')
    .addOption(
      new Option('--edits <n>', 'number of letters that may be read wrong (default: 0)')
        .argParser(wholeNumber)
        .conflicts('regex'),
    )
    .addOption(
      new Option('--within <from..to>', 'only what is seen in this time counts, as in 3s..6s').argParser(range),
    )
    .addOption(new Option('--at-least <time>', 'how long it must be seen, as in 500ms').argParser(duration))
    .option('--junit <path>', 'write a report in the XML of JUnit')
    .addOption(new Option('--still <path>', 'save the frame in question as .png or .jpg').argParser(picturePath))
    .addOption(new Option('--pipeline <id>', 'pipeline to run').default('ocr_only'));
  return addAnalysisFlags(command)
    .addHelpText(
      'after',
      `
The exit code is 0 when every expectation is met, 1 when one is not, and 3 when the video cannot be analysed. Of a text
that is not seen, the nearest one that was read is named. --edits never lets a digit differ. --still saves the first
frame of the text that decided: of one that is not met before others, and of one that is seen before the nearest.

Examples:
  reelstate expect checkout.mp4 --text "Payment failed" --within 3s..6s --at-least 500ms
  reelstate expect checkout.mp4 --text "Order \\\\d+ confirmed" --regex --junit report.xml`,
    )
    .action(async (video: string, flags: ExpectFlags, self: Command) => {
      const { text: texts = [], absent = [] } = flags;
      if (texts.length + absent.length === 0) self.error('error: nothing is expected: give --text or --absent');
      if (flags.regex === true) for (const text of [...texts, ...absent]) requireRegex(self, text);
      const { client, json } = connect(self);
      const jobId = await jobOf(video, flags);
      if (jobId === undefined) return;
      const { signal, line } = terminal;
      const status = await client.waitFor(jobId, { signal, onState: ({ status: state }) => line.spin(state) });
      line.clear();
      if (status.status === 'failed') return terminal.fail(jobLine(status), 3);
      const verdicts = await client.expectText(jobId, expectationOf(flags), { signal });
      const isMet = verdicts.every((verdict) => verdict.isMet);
      if (flags.junit !== undefined) await writeFile(flags.junit, junitReport(basename(video), verdicts));
      if (flags.still !== undefined) {
        const format = /\.png$/i.test(flags.still) ? 'png' : 'jpeg';
        const still = await client.still(jobId, { atMs: momentOf(verdicts), format, signal });
        await saveText(flags.still, [new Uint8Array(await still.arrayBuffer())]);
      }
      if (json) await terminal.printJson({ job_id: jobId, met: isMet, verdicts });
      else for (const verdict of verdicts) await terminal.print(verdictText(verdict));
      if (!isMet) terminal.recordFailure(1);

      async function jobOf(path: string, analysis: AnalysisFlags): Promise<string | undefined> {
        if (JOB_ID.test(path)) return path;
        try {
          return await uploadFile(path, { client, flags: analysis, terminal });
        } catch (error) {
          if (!isFileError(error) && !(error instanceof ReelstateError)) throw error;
          terminal.fail(`${path}: ${describeError(error)}`, isFileError(error) ? 3 : 1);
          return undefined;
        }
      }
    });
}

const JOB_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function expectationOf({ text = [], absent, regex, edits, within, atLeast }: ExpectFlags): TextExpectation {
  return { texts: text, absent, isRegex: regex, edits, withinMs: within, atLeastMs: atLeast };
}

/** When the text is seen that decided, in milliseconds; the start of the video if none was read. */
function momentOf(verdicts: readonly TextVerdict[]): number {
  const shown = verdicts.toSorted((a, b) => Number(a.isMet) - Number(b.isMet));
  const segments = shown.map(({ seen, nearest }) => seen ?? nearest);
  return segments.find((segment) => segment !== undefined)?.start_ms ?? 0;
}

function picturePath(text: string): string {
  if (!/\.(?:png|jpe?g)$/i.test(text)) throw new InvalidArgumentError('Must end with .png, .jpg or .jpeg.');
  return text;
}

function requireRegex(command: Command, text: string): void {
  try {
    RegExp(text, 'u');
  } catch (error) {
    command.error(`error: ${describeError(error)}`);
  }
}

function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function range(text: string): readonly [number, number] {
  const [from = '', to = '', ...more] = text.split('..');
  const times = [from === '' ? 0 : duration(from), to === '' ? Number.POSITIVE_INFINITY : duration(to)] as const;
  if (!text.includes('..') || more.length > 0 || times[1] <= times[0]) {
    throw new InvalidArgumentError('Not a range of time such as 3s..6s.');
  }
  return times;
}
