import { Command, Option } from 'commander';
import type { JobState } from '../client/responses.ts';
import { connect, wholeNumber } from './connection.ts';
import { jobLine } from './job-line.ts';
import type { Terminal } from './terminal.ts';

interface ListFlags {
  readonly status?: JobState;
  readonly pipeline?: string;
  readonly name?: string;
  readonly tag?: string;
  readonly limit: number;
  readonly all?: true;
}

export function listCommand(terminal: Terminal): Command {
  return new Command('list')
    .description('list jobs, newest first')
    .addOption(
      new Option('--status <state>', 'only jobs in this state').choices(['pending', 'running', 'completed', 'failed']),
    )
    .option('--pipeline <id>', 'only jobs of this pipeline')
    .option('--name <text>', 'only jobs whose file name contains this text, in any case')
    .option('--tag <tag>', 'only jobs with this tag')
    .addOption(new Option('--limit <n>', 'maximum number of jobs').argParser(wholeNumber).default(50))
    .option('--all', 'list all jobs')
    .addHelpText(
      'after',
      `
Prints one line per job: id, state, pipeline, time of the last change, and the reason of a failure.

Examples:
  reelstate list --status failed
  reelstate list --all --json > jobs.jsonl`,
    )
    .action(async ({ status, pipeline: pipelineId, name: fileName, tag, limit, all }: ListFlags, command: Command) => {
      const { client, json } = connect(command);
      const jobs = client.list({
        ...(status === undefined ? {} : { status }),
        ...(pipelineId === undefined ? {} : { pipelineId }),
        fileName,
        tag,
        signal: terminal.signal,
      });
      let left = all === true ? Number.POSITIVE_INFINITY : limit;
      for await (const job of jobs) {
        await (json ? terminal.printJson(job) : terminal.print(jobLine(job)));
        left -= 1;
        if (left <= 0) return;
      }
    });
}
