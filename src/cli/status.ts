import { Command } from 'commander';
import { connect } from './connection.ts';
import { jobLine } from './job-line.ts';
import type { Terminal } from './terminal.ts';

export function statusCommand(terminal: Terminal): Command {
  return new Command('status')
    .description('print the state of jobs')
    .argument('<job_id...>')
    .option('--wait', 'wait until every job has ended; exit code 3 if one failed')
    .addHelpText(
      'after',
      `
Prints one line per job: id, state, time of the last change, and the reason of a failure.

Examples:
  reelstate status 01a202dc-a330-70d6-9579-7f667142a725
  reelstate status --wait $(cat jobs.txt)`,
    )
    .action(async (jobIds: readonly string[], { wait = false }: { readonly wait?: boolean }, command: Command) => {
      const { client, json } = connect(command);
      const { line, signal } = terminal;
      for (const jobId of jobIds) {
        const status = wait
          ? await client.waitFor(jobId, { signal, onState: (seen) => line.spin(`${jobId}  ${seen.status}`) })
          : await client.status(jobId, { signal });
        if (wait && status.status === 'failed') terminal.recordFailure(3);
        await (json ? terminal.printJson(status) : terminal.print(jobLine(status)));
      }
    });
}
