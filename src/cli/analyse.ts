import { Command, Option } from 'commander';
import { access, constants, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { analysisPaths, hashFile, isDone, stemOf, type AnalysisPaths } from '../local/analysis-record.ts';
import type { AnalysisRequest, LocalAnalyser } from '../local/local-analyser.ts';
import { readableVideos } from '../local/readable-paths.ts';
import { saveFile } from '../local/save-file.ts';
import { addAnalysisFlags, jobOptionsOf, type AnalysisFlags } from './analysis-flags.ts';
import { ANALYSIS_FORMATS, analysisText, type AnalysisFormat } from './analysis-text.ts';
import { wholeNumber } from './connection.ts';
import { describeError } from './describe-error.ts';
import { checkOutputs, formatOfEnding, isPattern, outputPathOf } from './output-path.ts';
import { isFolder } from './save-text.ts';
import type { Terminal } from './terminal.ts';

interface AnalyseFlags extends AnalysisFlags {
  readonly output?: string;
  readonly format?: AnalysisFormat;
  readonly threads?: number;
  readonly skipDone?: true;
}

/** The outcome of one video. */
interface Task {
  readonly video: string;
  /** Undefined: stdout. */
  readonly output: string | undefined;
  readonly format: AnalysisFormat;
  /** Undefined: only the outputs are kept, not the documents. */
  readonly kept: AnalysisPaths | undefined;
}

export function analyseCommand(terminal: Terminal): Command {
  const analyse = new Command('analyse')
    .description('analyse videos on this machine, without a service')
    .argument('<video...>', 'MP4 files')
    .addOption(new Option('--pipeline <id>', 'pipeline to run').default('ocr_only'));
  return addAnalysisFlags(analyse)
    .option('--output <path>', 'a file, an existing folder, or a pattern such as {dir}/{name}.srt (default: stdout)')
    .addOption(
      new Option('--format <format>', 'format (default: by the extension of the output, else json)').choices(
        ANALYSIS_FORMATS,
      ),
    )
    .addOption(new Option('--threads <n>', 'inference threads (default: as PIPELINE_THREADS)').argParser(wholeNumber))
    .option('--skip-done', 'skip a video whose record in the output folder is of the same content and options')
    .addHelpText(
      'after',
      `
Needs no service, no database and no data folder. A folder gets {name}_results.json and {name}_segments.json with the
bytes that the service stores, and then {name}_analysis.json, the record that import reads; with another --format it gets
{name}.srt or the like. {dir} is the folder of the video, {name} its name without extension. Every file is written
atomically. The settings of the service for pipelines, limits and processes apply (docs/CONFIGURATION.md).
A lost attempt is repeated. The exit code is 3 if a video failed and 1 if the machine refused.

Examples:
  reelstate analyse --format srt video.mp4 > video.srt
  reelstate analyse --pipeline yolo_ocr --every 1s --output results *.mp4
  reelstate analyse video.mp4 | jq '.results[].result.text'`,
    )
    .action(async (videos: readonly string[], flags: AnalyseFlags, command: Command) => {
      const tasks = await tasksOf(videos, flags, command);
      const options = jobOptionsOf(flags, command);
      const { threads, pipeline: pipelineId } = flags;
      const config = parseConfig({
        LOG_LEVEL: 'error',
        ...process.env,
        ...(threads === undefined ? {} : { PIPELINE_THREADS: String(threads) }),
        WORKER_CONCURRENCY: '1',
      });
      // Imported here, because it loads the pipelines.
      const { LocalAnalyser } = await import('../local/local-analyser.ts');
      await using analyser = await LocalAnalyser.open(config, createLog(config.LOG_LEVEL), readableVideos(videos));
      analyser.pipeline(pipelineId);
      const { json } = command.optsWithGlobals<{ readonly json: boolean }>();
      for (const [at, task] of tasks.entries()) {
        const label = tasks.length === 1 ? task.video : `${task.video}  ${at + 1} of ${tasks.length}`;
        terminal.line.spin(label);
        try {
          await runTask(task, { analyser, pipelineId, options, terminal, json, skipDone: flags.skipDone === true });
        } finally {
          terminal.line.clear();
        }
      }
    });
}

async function tasksOf(
  videos: readonly string[],
  { output, format, skipDone }: AnalyseFlags,
  command: Command,
): Promise<readonly Task[]> {
  const toStdout = output === undefined || output === '-';
  const intoFolder = !toStdout && (await isFolder(output));
  if (videos.length > 1 && !intoFolder && (toStdout || !isPattern(output))) {
    command.error(`error: --output must be an existing folder or a pattern for ${videos.length} videos`);
  }
  const chosen = format ?? (toStdout || intoFolder ? 'json' : (formatOfEnding(output) ?? 'json'));
  if (skipDone === true && !(intoFolder && chosen === 'json')) {
    command.error('error: --skip-done needs --output <folder> and the format json');
  }
  const tasks = videos.map((video): Task => {
    if (toStdout) return { video, output: undefined, format: chosen, kept: undefined };
    if (!intoFolder) return { video, output: outputPathOf(output, video), format: chosen, kept: undefined };
    if (chosen !== 'json') {
      return { video, output: join(output, `${stemOf(video)}.${chosen}`), format: chosen, kept: undefined };
    }
    const kept = analysisPaths(output, stemOf(video));
    return { video, output: kept.results, format: chosen, kept };
  });
  checkOutputs(
    tasks.map(({ video, output: path }) => ({ path: video, output: path })),
    command,
  );
  return tasks;
}

interface RunOptions extends Pick<AnalysisRequest, 'pipelineId' | 'options'> {
  readonly analyser: LocalAnalyser;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly skipDone: boolean;
}

async function runTask(task: Task, { analyser, pipelineId, options, terminal, json, skipDone }: RunOptions) {
  const { video: videoPath, output, format, kept } = task;
  const { signal } = terminal;
  const reason = await unreadable(videoPath);
  if (reason !== undefined) return terminal.fail(`${videoPath}: ${reason}`, 3);
  const tell = async (status: 'completed' | 'skipped'): Promise<void> => {
    if (output === undefined) return;
    await (json ? terminal.printJson({ file: videoPath, status, output }) : terminal.print(`${status}  ${output}`));
  };
  const video = kept === undefined ? undefined : await hashFile(videoPath, signal);
  if (skipDone && kept !== undefined && video !== undefined) {
    if (await isDone(kept, { video, pipelineId, options })) return tell('skipped');
  }
  // In the temporary folder, so that a killed command leaves nothing among the user's files.
  const scratch = kept === undefined ? await mkdtemp(join(tmpdir(), 'reelstate-analyse-')) : undefined;
  const target = kept ?? analysisPaths(scratch ?? dirname(videoPath), 'video');
  try {
    const outcome = await analyser.analyse({ videoPath, video, pipelineId, options, target, signal });
    if (outcome.kind === 'failed') {
      const { code: error_code, message: error_message } = outcome;
      if (json && output !== undefined) {
        await terminal.printJson({ file: videoPath, status: 'failed', error_code, error_message });
      }
      return terminal.fail(`${basename(videoPath)}: ${error_code}: ${error_message}`, 3);
    }
    if (output === undefined) {
      terminal.line.clear();
      for await (const piece of analysisText(target, format)) await terminal.write(piece);
    } else if (kept === undefined) await saveFile(output, analysisText(target, format), { signal });
    await tell('completed');
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

/** Returns why a file cannot be analysed; undefined if it can. */
async function unreadable(path: string): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isFile()) return 'not a file';
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}
