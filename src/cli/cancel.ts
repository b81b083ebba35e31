import { Command } from 'commander';
import { connect } from './connection.ts';
import { eachJob } from './each-job.ts';
import { jobLine } from './job-line.ts';
import type { Terminal } from './terminal.ts';

export function cancelCommand(terminal: Terminal): Command {
  return new Command('cancel')
    .description('cancel pending or running jobs')
    .argument('<job_id...>')
    .addHelpText(
      'after',
      `
A completed or unknown job is reported on stderr; the others are cancelled.

Example:
  reelstate cancel 01a202dc-a330-70d6-9579-7f667142a725`,
    )
    .action(async (jobIds: readonly string[], _: object, command: Command) => {
      const { client, json } = connect(command);
      await eachJob(jobIds, terminal, async (jobId) => {
        const status = await client.cancel(jobId, { signal: terminal.signal });
        await (json ? terminal.printJson(status) : terminal.print(jobLine(status)));
      });
    });
}
