import { Command, Option } from 'commander';
import type { ReelstateError } from '../client/reelstate-error.ts';
import { parseConfig } from '../config.ts';
import type { JobOptions } from '../job.ts';
import { createLog } from '../log.ts';
import { addAnalysisFlags, jobOptionsOf, type AnalysisFlags } from './analysis-flags.ts';
import { ANALYSIS_FORMATS, type AnalysisFormat } from './analysis-text.ts';
import type { Analyst } from './batch/analyst.ts';
import type { BatchState } from './batch/batch-state.ts';
import { findVideos, type BatchVideo } from './batch/find-videos.ts';
import type { BatchTask, TaskReport } from './batch/run-batch.ts';
import { Tally } from './batch/tally.ts';
import { connect, wholeNumber } from './connection.ts';
import { checkOutputs, formatOfEnding, isPattern, outputPathOf } from './output-path.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';

interface BatchFlags extends AnalysisFlags {
  readonly analyse?: true;
  readonly match?: readonly string[];
  readonly output?: string;
  readonly format?: AnalysisFormat;
  readonly jobs?: number;
  readonly threads?: number;
  readonly state: string;
  readonly retryFailed?: true;
}

/** Concurrent videos at a service: one is analysed while the next ones are uploaded. */
const JOBS_AT_SERVICE = 4;

export function batchCommand(terminal: Terminal): Command {
  const batch = new Command('batch')
    .description('analyse each video of a folder or a list once, even after a kill')
    .argument('<source>', 'a folder (recursive), or a file with one path per line; - reads the list from stdin')
    .option('--analyse', 'analyse on this machine, without a service')
    .addOption(
      new Option(
        '--match <pattern>',
        'which files of a folder: * and ? in a name, **/ for any folders; may be given several times (default: *.mp4)',
      ).argParser(collected),
    )
    .addOption(new Option('--pipeline <id>', 'pipeline to run').default('ocr_only'));
  return addAnalysisFlags(batch)
    .option('--output <pattern>', 'file for each video, such as {dir}/{name}.srt or found/{subdir}/{name}.json')
    .addOption(
      new Option('--format <format>', 'format (default: by the extension of the output, else json)').choices(
        ANALYSIS_FORMATS,
      ),
    )
    .addOption(
      new Option('--jobs <n>', `videos at once (default: 1 with --analyse, else ${JOBS_AT_SERVICE})`).argParser(
        wholeNumber,
      ),
    )
    .addOption(
      new Option(
        '--threads <n>',
        'with --analyse: inference threads for each video (default: as PIPELINE_THREADS)',
      ).argParser(wholeNumber),
    )
    .addOption(new Option('--state <folder>', 'folder of progress and analyses').default('.reelstate-batch'))
    .option('--retry-failed', 'analyse again what failed in an earlier run')
    .addHelpText(
      'after',
      `
The same command continues where a killed or interrupted one stopped. A video is identified by its content, the pipeline
and the options, not by its name; unchanged files are not hashed again. {dir} is the folder of a video, {subdir} its path
below the source, {name} its name without extension. With --analyse the state folder keeps the
analyses, which import reads: reelstate import .reelstate-batch. Without it the videos are uploaded to the service; a busy
or restarting service is retried, and each upload has an idempotency key.
Prints one line per video and finally the numbers of done, skipped and failed videos, by reason. The exit code is 3 if a
video failed, and 1 if the service or the machine refused; the rest is then open.

Examples:
  reelstate batch lectures --every 2s --output '{dir}/{name}.srt'
  reelstate batch lectures --analyse --jobs 2 --output 'found/{subdir}/{name}.json'
  find /srv -name '*.MP4' -size -1G | reelstate batch - --pipeline yolo_ocr --json`,
    )
    .action(async (source: string, flags: BatchFlags, command: Command) => {
      const { json } = command.optsWithGlobals<{ readonly json: boolean }>();
      const { match = ['*.mp4'] } = flags;
      const tasks = tasksOf(await findVideos(source, match), flags, command);
      const options = jobOptionsOf(flags, command);
      if (tasks.length === 0) return terminal.fail(`reelstate: no file in ${source} matches ${match.join(' or ')}`, 1);
      const tally = new Tally(tasks.length);
      // Imported here, because they load the lock and the pipelines.
      const { openBatchState } = await import('./batch/batch-state.ts');
      const { runBatch } = await import('./batch/run-batch.ts');
      await using state = await openBatchState(flags.state);
      await using analyst = await openAnalyst(state, tasks, flags, options, command);
      const jobs = flags.jobs ?? (flags.analyse === true ? 1 : JOBS_AT_SERVICE);
      const { line, signal } = terminal;
      const onReport = async (report: TaskReport): Promise<void> => {
        tally.add(report);
        if (report.status === 'failed') terminal.recordFailure(3);
        await (json ? terminal.printJson(jsonOf(report)) : terminal.print(printable(lineOf(report))));
        line.bar(`${tally.ended} of ${tasks.length}`, tally.ended, tasks.length);
      };
      line.spin(`0 of ${tasks.length}`);
      try {
        await runBatch(tasks, { analyst, ledger: state.ledger, draftTag: state.draftTag, jobs, signal, onReport });
      } finally {
        line.clear();
        if (!signal.aborted) await (json ? terminal.printJson({ report: tally }) : terminal.print(String(tally)));
      }
    });

  async function openAnalyst(
    { ledger, analysesFolder: folder, draftTag }: BatchState,
    tasks: readonly BatchTask[],
    flags: BatchFlags,
    options: JobOptions,
    command: Command,
  ): Promise<Analyst> {
    const { analyse, jobs = 1, threads, pipeline: pipelineId } = flags;
    const retryFailed = flags.retryFailed === true;
    if (analyse !== true) {
      const { ServiceAnalyst } = await import('./batch/service-analyst.ts');
      const onRetry = ({ message }: ReelstateError): void => terminal.line.spin(message);
      return ServiceAnalyst.open({ ...connect(command), ledger, flags, retryFailed, onRetry }, terminal.signal);
    }
    const config = parseConfig({
      LOG_LEVEL: 'error',
      ...process.env,
      ...(threads === undefined ? {} : { PIPELINE_THREADS: String(threads) }),
      WORKER_CONCURRENCY: String(jobs),
    });
    const { LocalAnalyst } = await import('./batch/local-analyst.ts');
    const log = createLog(config.LOG_LEVEL);
    const videos = tasks.map(({ path }) => path);
    return LocalAnalyst.open({ config, log, ledger, folder, draftTag, videos, pipelineId, options, retryFailed });
  }
}

/** Ends the command with a usage error if an option or an output is invalid. */
function tasksOf(
  videos: readonly BatchVideo[],
  { output, format, analyse, threads }: BatchFlags,
  command: Command,
): readonly BatchTask[] {
  if (threads !== undefined && analyse !== true) command.error('error: --threads needs --analyse');
  if (output !== undefined && !isPattern(output)) {
    command.error('error: --output must name a file for each video, as in {dir}/{name}.srt');
  }
  const chosen = format ?? (output === undefined ? undefined : formatOfEnding(output)) ?? 'json';
  const tasks = videos.map(({ path, subdir }) => ({
    path,
    output: output === undefined ? undefined : outputPathOf(output, path, subdir),
    format: chosen,
  }));
  checkOutputs(tasks, command);
  return tasks;
}

function lineOf(report: TaskReport): string {
  const beginning = `${report.status.padEnd(7)}  ${report.path}`;
  if (report.status === 'failed') return `${beginning}  ${report.code}: ${report.message}`;
  return report.output === undefined ? beginning : `${beginning}  ${report.output}`;
}

/** With the field names of the service. */
function jsonOf(report: TaskReport): object {
  const { path: file, status, jobId: job_id } = report;
  if (report.status !== 'failed') return { file, status, job_id, output: report.output };
  return { file, status, job_id, error_code: report.code, error_message: report.message };
}

function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
