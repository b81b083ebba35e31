import { Command } from 'commander';
import { connect } from './connection.ts';
import { eachJob } from './each-job.ts';
import type { Terminal } from './terminal.ts';

export function deleteCommand(terminal: Terminal): Command {
  return new Command('delete')
    .description('delete the videos and the results of finished jobs')
    .argument('<job_id...>')
    .addHelpText(
      'after',
      `
The rows and the history of the jobs are kept. A job that is pending, running or unknown is reported on stderr; the files
of the others are deleted.

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
