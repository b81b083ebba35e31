import { Command } from 'commander';
import { connect } from './connection.ts';
import { jobLine } from './job-line.ts';
import type { Terminal } from './terminal.ts';

export function statusCommand(terminal: Terminal): Command {
  return new Command('status')
    .description('tell how far jobs have come')
    .argument('<job_id...>')
    .option('--wait', 'wait until each has ended; the exit code is 1 when one failed')
    .addHelpText(
      'after',
      `
Prints a line for each: id, state, since when, and why it failed.

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
        if (wait && status.status === 'failed') terminal.hasFailed = true;
        await (json ? terminal.printJson(status) : terminal.print(jobLine(status)));
      }
    });
}
