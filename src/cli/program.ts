import { Command } from 'commander';
import { analyseCommand } from './analyse.ts';
import { batchCommand } from './batch.ts';
import { cancelCommand } from './cancel.ts';
import { globalOptions } from './connection.ts';
import { deleteCommand } from './delete.ts';
import { doctorCommand } from './doctor.ts';
import { expectCommand } from './expect.ts';
import { importCommand } from './import.ts';
import { inspectCommand } from './inspect.ts';
import { listCommand } from './list.ts';
import { migrateCommand } from './migrate.ts';
import { modelsCommand } from './models.ts';
import { queryCommand } from './query.ts';
import { resultsCommand } from './results.ts';
import { searchCommand } from './search.ts';
import { serveCommand } from './serve.ts';
import { statusCommand } from './status.ts';
import { submitCommand } from './submit.ts';
import type { Terminal } from './terminal.ts';

/** Width of the help in columns. Fixed, because the documents contain the same text. */
export const HELP_COLUMNS = 100;

/** Returns the command line. Parsing rejects instead of ending the process. @param stop ends a service that was started */
export function createProgram(version: string, terminal: Terminal, stop: AbortSignal): Command {
  const program = new Command('reelstate')
    .description('Turns MP4 files into structured data. Runs the service and sends requests to it.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.writeLaidOut('stdout', text),
      writeErr: (text) => terminal.writeLaidOut('stderr', text),
    })
    .showHelpAfterError('(add --help for usage)')
    .configureHelp({ helpWidth: HELP_COLUMNS, showGlobalOptions: true })
    .addHelpText(
      'after',
      `
The key of a service with access control is read from REELSTATE_API_KEY. There is no option for it, because other users
of the machine can read command lines. Data goes to stdout, everything else to stderr.

Example:
  reelstate submit --wait --output results.json video.mp4`,
    );
  for (const option of globalOptions()) program.addOption(option);
  const commands = [
    serveCommand(stop),
    submitCommand(terminal),
    statusCommand(terminal),
    resultsCommand(terminal),
    searchCommand(terminal),
    expectCommand(terminal),
    analyseCommand(terminal),
    batchCommand(terminal),
    listCommand(terminal),
    cancelCommand(terminal),
    deleteCommand(terminal),
    inspectCommand(terminal),
    queryCommand(terminal),
    importCommand(terminal),
    migrateCommand(terminal),
    modelsCommand(terminal),
    doctorCommand(terminal),
  ];
  for (const command of commands) {
    program.addCommand(command.copyInheritedSettings(program));
    for (const nested of command.commands) nested.copyInheritedSettings(program);
  }
  return program;
}
