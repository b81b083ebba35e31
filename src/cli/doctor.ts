import { Command } from 'commander';
import type { CheckResult } from '../maintenance/check-result.ts';
import { connect } from './connection.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';

const MARKS: Readonly<Record<CheckResult['status'], string>> = { ok: 'ok     ', warning: 'WARNING', error: 'ERROR  ' };

export function doctorCommand(terminal: Terminal): Command {
  return new Command('doctor')
    .description('check everything that the service needs on this machine')
    .addHelpText(
      'after',
      `
Checks the settings, the version of Node.js, the packages, the data folder, the disk, the address, the database, the
models, the limits and the sandbox. Changes nothing. The service may be running or stopped. Run it as the user that runs
the service, with the same settings. The exit code is 1 if a check fails; warnings do not count.

Examples:
  reelstate doctor
  PORT=9000 DATA_DIR=/srv/videos reelstate doctor --json`,
    )
    .action(async (_: object, command: Command) => {
      const { json } = connect(command);
      // Imported here, because it loads all parts of the service.
      const { examine } = await import('../maintenance/examine.ts');
      for await (const finding of examine(process.env)) {
        const { check, status, message, fix } = finding;
        if (status === 'error') terminal.recordFailure(1);
        if (json) await terminal.printJson(finding);
        else await terminal.print(printable(`${MARKS[status]}  ${check.padEnd(11)}  ${message}`));
        if (!json && fix !== null) await terminal.print(printable(`${' '.repeat(22)}→ ${fix}`));
      }
    });
}
