import { Command, Option } from 'commander';
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { ReelstateError } from '../client/reelstate-error.ts';
import { describeError } from './describe-error.ts';
import { connect, wholeNumber, type Connection } from './connection.ts';
import { jobLine } from './job-line.ts';
import { resultsText } from './results-text.ts';
import { isFolder, resultsPath, saveText } from './save-text.ts';
import type { Terminal } from './terminal.ts';

/** Refusals after which the next file may fare better. */
const ABOUT_THE_FILE = new Set(['invalid_mp4', 'missing_file', 'upload_too_large']);

interface SubmitFlags {
  readonly pipeline: string;
  readonly frameStride?: number;
  readonly maxFrames?: number;
  readonly wait?: true;
  readonly output?: string;
}

interface Accepted {
  readonly file: string;
  readonly jobId: string;
}

export function submitCommand(terminal: Terminal): Command {
  return new Command('submit')
    .description('upload videos, one job each, and print the job ids')
    .argument('<file...>', 'MP4 files')
    .addOption(new Option('--pipeline <id>', 'what to look for').default('ocr_only'))
    .addOption(new Option('--frame-stride <n>', 'analyse every n-th frame (default: every one)').argParser(wholeNumber))
    .addOption(new Option('--max-frames <n>', 'analyse at most so many frames (default: all)').argParser(wholeNumber))
    .option('--wait', 'wait until every job has ended, and print how')
    .option('--output <path>', 'wait, and save the results (JSON): a file, a folder, or - for stdout')
    .addHelpText(
      'after',
      `
A file that is refused is told on stderr; the others are submitted all the same, and the exit code is 1.
In a folder results are called {job_id}_results.json.

Examples:
  reelstate submit video.mp4
  reelstate submit --pipeline yolo_ocr --frame-stride 25 --wait *.mp4
  reelstate submit --output - video.mp4 | grep EXIT`,
    )
    .action(async (files: readonly string[], flags: SubmitFlags, command: Command) => {
      const { output } = flags;
      if (files.length > 1 && output !== undefined && output !== '-' && !(await isFolder(output))) {
        command.error(`error: --output must be a folder that exists, or -, for ${files.length} files`);
      }
      const connection = connect(command);
      const accepted: Accepted[] = [];
      for (const file of files) {
        const jobId = await submit(file, flags, connection, terminal);
        if (jobId === undefined) continue;
        accepted.push({ file, jobId });
        if (flags.wait === true || output !== undefined) continue;
        await (connection.json ? terminal.printJson({ job_id: jobId, file }) : terminal.print(jobId));
      }
      if (flags.wait !== true && output === undefined) return;
      try {
        for (const job of accepted) await follow(job, flags, connection, terminal);
      } finally {
        if (terminal.signal.aborted) terminal.note(`Jobs go on: ${accepted.map(({ jobId }) => jobId).join(' ')}`);
      }
    });
}

/** Resolves with undefined when this file was refused and another may be taken. */
async function submit(
  path: string,
  { pipeline: pipelineId, frameStride, maxFrames }: SubmitFlags,
  { client }: Connection,
  { line, signal, fail }: Terminal,
): Promise<string | undefined> {
  const fileName = basename(path);
  try {
    if (!(await stat(path)).isFile()) throw new ReelstateError('missing_file', 'is no file');
    const { jobId } = await client.submit({
      file: await openAsBlob(path),
      fileName,
      pipelineId,
      ...(frameStride === undefined ? {} : { frameStride }),
      ...(maxFrames === undefined ? {} : { maxFrames }),
      onProgress: (sent, all) => line.bar(fileName, sent, all),
      signal,
    });
    return jobId;
  } catch (error) {
    const isLocal = error instanceof Error && 'code' in error && 'syscall' in error;
    if (!isLocal && !(error instanceof ReelstateError && ABOUT_THE_FILE.has(error.code))) throw error;
    fail(`${path}: ${describeError(error)}`);
    return undefined;
  } finally {
    line.clear();
  }
}

async function follow(
  { file, jobId }: Accepted,
  { output }: SubmitFlags,
  { client, json }: Connection,
  terminal: Terminal,
): Promise<void> {
  const { line, signal } = terminal;
  const status = await client.waitFor(jobId, {
    signal,
    onState: ({ status: state }) => line.spin(`${basename(file)}  ${state}`),
  });
  line.clear();
  if (status.status === 'failed') terminal.hasFailed = true;
  else if (output !== undefined) {
    const text = resultsText(client, jobId, { format: 'json', signal });
    if (output !== '-') await saveText(await resultsPath(output, jobId), text);
    else for await (const piece of text) await terminal.write(piece);
  }
  if (output === '-') {
    if (status.status === 'failed') terminal.note(`${file}: ${jobLine(status)}`);
  } else await (json ? terminal.printJson({ ...status, file }) : terminal.print(jobLine(status)));
}
