import { Command, Option } from 'commander';
import type { JobState } from '../client/answers.ts';
import { connect, wholeNumber } from './connection.ts';
import { jobLine } from './job-line.ts';
import type { Terminal } from './terminal.ts';

interface ListFlags {
  readonly status?: JobState;
  readonly pipeline?: string;
  readonly limit: number;
  readonly all?: true;
}

export function listCommand(terminal: Terminal): Command {
  return new Command('list')
    .description('list jobs, the last accepted first')
    .addOption(
      new Option('--status <state>', 'only those in this state').choices(['pending', 'running', 'completed', 'failed']),
    )
    .option('--pipeline <id>', 'only those of this pipeline')
    .addOption(new Option('--limit <n>', 'at most so many').argParser(wholeNumber).default(50))
    .option('--all', 'all of them, however many')
    .addHelpText(
      'after',
      `
Prints a line for each: id, state, pipeline, since when, and why it failed.

Examples:
  reelstate list --status failed
  reelstate list --all --json > jobs.jsonl`,
    )
    .action(async ({ status, pipeline: pipelineId, limit, all }: ListFlags, command: Command) => {
      const { client, json } = connect(command);
      const jobs = client.list({
        ...(status === undefined ? {} : { status }),
        ...(pipelineId === undefined ? {} : { pipelineId }),
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
