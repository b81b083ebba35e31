import { Command, Option } from 'commander';
import { basename } from 'node:path';
import { ReelstateError } from '../client/reelstate-error.ts';
import { describeError } from './describe-error.ts';
import { addAnalysisFlags } from './analysis-flags.ts';
import { connect, type Connection } from './connection.ts';
import { jobLine } from './job-line.ts';
import { RESULT_FORMATS, resultsText, type ResultFormat } from './results-text.ts';
import { ResultPaths } from './result-paths.ts';
import { saveText } from './save-text.ts';
import { isFileError, rerunJob, uploadFile, type SubmissionFlags } from './upload-file.ts';
import type { Terminal } from './terminal.ts';

interface SubmitFlags extends SubmissionFlags {
  readonly rerun?: true;
  readonly wait?: true;
  readonly output?: string;
  readonly format: ResultFormat;
}

interface Accepted {
  readonly file: string;
  readonly jobId: string;
}

export function submitCommand(terminal: Terminal): Command {
  const submit = new Command('submit')
    .description('upload videos, one job each, and print the job ids')
    .argument('<file...>', 'MP4 files, or with --rerun ids of jobs')
    .option('--pipeline <id>', 'pipeline to run (default: ocr_only)')
    .option('--tag <tag>', 'label of the jobs, such as the name of a collection')
    .option('--rerun', 'analyse the stored videos of jobs again; absent options are those of each job');
  return addAnalysisFlags(submit)
    .option('--wait', 'wait until every job has ended, and print its state')
    .option(
      '--output <path>',
      'wait, and save the results: a file, a folder, a pattern such as {name}.srt, or - for stdout',
    )
    .addOption(new Option('--format <format>', 'format of the saved results').choices(RESULT_FORMATS).default('json'))
    .addHelpText(
      'after',
      `
Prints the job id; with several files, each id is followed by its file. A rejected file is reported on stderr, the others
are submitted, and the exit code is 3. A busy service is retried when it says so.
In a folder, results are named {job_id}_results.json, subtitles {job_id}_segments.srt. In a pattern, {name} is the file
name without its ending and {job_id} the id; of the same name twice, the second gets a number.

Examples:
  reelstate submit video.mp4
  reelstate submit --pipeline yolo_ocr --frame-stride 25 --wait *.mp4
  reelstate submit --sample-every-ms 10000 --from-ms 60000 --region 0,0.8,1,0.2 lecture.mp4
  reelstate submit --rerun --pipeline yolo_ocr 019ddddd-0000-7000-8000-000000000000
  reelstate submit --format srt --output 'subtitles/{name}.srt' *.mp4
  reelstate submit --output - video.mp4 | grep EXIT`,
    )
    .action(async (files: readonly string[], flags: SubmitFlags, command: Command) => {
      const { output } = flags;
      const paths = output === undefined || output === '-' ? undefined : new ResultPaths(output);
      if (files.length > 1 && paths !== undefined && !(await paths.isForMany())) {
        command.error(`error: --output must be an existing folder, a pattern or - for ${files.length} files`);
      }
      const connection = connect(command);
      const isFollowed = flags.wait === true || output !== undefined;
      const accepted: Accepted[] = [];
      try {
        for await (const job of submitAll(files, flags, connection, terminal)) {
          accepted.push(job);
          if (isFollowed) continue;
          const line = files.length === 1 ? job.jobId : `${job.jobId}  ${job.file}`;
          await (connection.json ? terminal.printJson({ job_id: job.jobId, file: job.file }) : terminal.print(line));
        }
        if (!isFollowed) return;
        for (const job of accepted) await follow(job, { flags, paths, connection, terminal });
      } catch (error) {
        // The jobs continue without this command and could not be found without their ids.
        if (isFollowed && accepted.length > 0) {
          terminal.note(`Accepted jobs continue: ${accepted.map(({ jobId }) => jobId).join(' ')}`);
        }
        throw error;
      }
    });
}

/** Yields the accepted files. Stops at an error of the service, after naming the files that were not submitted. */
async function* submitAll(
  files: readonly string[],
  flags: SubmitFlags,
  { client }: Connection,
  terminal: Terminal,
): AsyncGenerator<Accepted> {
  for (const [at, file] of files.entries()) {
    try {
      const submit = flags.rerun === true ? rerunJob : uploadFile;
      yield { file, jobId: await submit(file, { client, flags, terminal }) };
    } catch (error) {
      if (terminal.signal.aborted) throw error;
      if (isFileError(error)) {
        terminal.fail(`${file}: ${describeError(error)}`, 3);
        continue;
      }
      if (!(error instanceof ReelstateError)) throw error;
      terminal.fail(`reelstate: ${describeError(error)}`, 1);
      if (files.length > 1) terminal.note(`Not submitted: ${files.slice(at).join(' ')}`);
      return;
    }
  }
}

interface Following {
  readonly flags: SubmitFlags;
  /** Undefined: the results are printed, or not wanted. */
  readonly paths: ResultPaths | undefined;
  readonly connection: Connection;
  readonly terminal: Terminal;
}

async function follow({ file, jobId }: Accepted, { flags, paths, connection, terminal }: Following): Promise<void> {
  const { output, format } = flags;
  const { client, json } = connection;
  const { line, signal } = terminal;
  const status = await client.waitFor(jobId, {
    signal,
    onState: ({ status: state }) => line.spin(`${basename(file)}  ${state}`),
  });
  line.clear();
  if (status.status === 'failed') terminal.recordFailure(3);
  else if (output !== undefined) {
    const text = resultsText(client, jobId, { format, signal });
    if (paths !== undefined) await saveText(await paths.pathFor({ jobId, fileName: file, format }), text);
    else for await (const piece of text) await terminal.write(piece);
  }
  if (output === '-') {
    if (status.status === 'failed') terminal.note(`${file}: ${jobLine(status)}`);
  } else await (json ? terminal.printJson({ ...status, file }) : terminal.print(jobLine(status)));
}
