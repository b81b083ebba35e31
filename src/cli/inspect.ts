import { Command } from 'commander';
import { connect } from './connection.ts';
import { jobText } from './job-text.ts';
import type { Terminal } from './terminal.ts';

export function inspectCommand(terminal: Terminal): Command {
  return new Command('inspect')
    .description('show the state machine of a job, its state and its history')
    .argument('<job_id>')
    .addHelpText(
      'after',
      `
● is the current state, ○ an earlier state, × how often a transition was taken.

Example:
  reelstate inspect 01a202dc-a330-70d6-9579-7f667142a725`,
    )
    .action(async (jobId: string, _: object, command: Command) => {
      const { client, json } = connect(command);
      const { signal } = terminal;
      const life = await client.transitions(jobId, { signal });
      if (json) await terminal.printJson(life);
      else await terminal.write(jobText(await client.machine('job', { signal }), life));
    });
}
