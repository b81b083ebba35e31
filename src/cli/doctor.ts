import { Command } from 'commander';
import type { Finding } from '../maintenance/finding.ts';
import { connect } from './connection.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';

const MARKS: Readonly<Record<Finding['verdict'], string>> = { well: 'well   ', warning: 'WARNING', wrong: 'WRONG  ' };

export function doctorCommand(terminal: Terminal): Command {
  return new Command('doctor')
    .description('check everything that a service needs on this machine, and say what to do')
    .addHelpText(
      'after',
      `
Looks at the settings in the environment, the version of Node.js, the packages, the data folder, the disk, the address,
the database, the models, limits and isolation, whether the service runs or not. It changes nothing. Run it as the user
that runs the service, with its settings. The exit code is 1 when something is wrong; a warning is none.

Examples:
  reelstate doctor
  PORT=9000 DATA_DIR=/srv/videos reelstate doctor --json`,
    )
    .action(async (_: object, command: Command) => {
      const { json } = connect(command);
      // Not before: it looks at all parts of the service.
      const { examine } = await import('../maintenance/examine.ts');
      for await (const finding of examine(process.env)) {
        const { check, verdict, says, remedy } = finding;
        if (verdict === 'wrong') terminal.hasFailed = true;
        if (json) await terminal.printJson(finding);
        else await terminal.print(printable(`${MARKS[verdict]}  ${check.padEnd(11)}  ${says}`));
        if (!json && remedy !== null) await terminal.print(printable(`${' '.repeat(22)}→ ${remedy}`));
      }
    });
}
