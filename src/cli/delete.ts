import { Command } from 'commander';
import { connect } from './connection.ts';
import { eachJob } from './each-job.ts';
import type { Terminal } from './terminal.ts';

export function deleteCommand(terminal: Terminal): Command {
  return new Command('delete')
    .description('delete the videos and the results of jobs that have ended')
    .argument('<job_id...>')
    .addHelpText(
      'after',
      `
What is known of the jobs themselves stays. A job that waits or runs, or is unknown, is told on stderr; the files of the
others are deleted all the same.

Example:
  reelstate delete 01a202dc-a330-70d6-9579-7f667142a725`,
    )
    .action(async (jobIds: readonly string[], _: object, command: Command) => {
      const { client, json } = connect(command);
      await eachJob(jobIds, terminal, async (jobId) => {
        const deletion = await client.deleteFiles(jobId, { signal: terminal.signal });
        await (json ? terminal.printJson(deletion) : terminal.print(`${jobId}  deleted  ${deletion.deleted_at}`));
      });
    });
}
