import type { Command } from 'commander';
import { EXIT_CODES } from '../../src/cli/exit-code.ts';
import { createProgram, HELP_COLUMNS } from '../../src/cli/program.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { markdownTable } from './markdown-table.ts';

const { stdout, stderr } = process;

const { signal } = new AbortController();
/** The command line, for the documents. */
export const PROGRAM = createProgram('', new Terminal({ stdout, stderr, signal }), signal);

/** The generated sections of the command line, by name: the help of each command and the exit codes. */
export const COMMAND_SECTIONS: Readonly<Record<string, () => string>> = {
  'exit-codes': () =>
    markdownTable(
      ['Exit code', 'Meaning'],
      Object.entries(EXIT_CODES).map(([code, meaning]) => [code, meaning]),
    ),
  command: () => helpOf(PROGRAM),
  ...Object.fromEntries(PROGRAM.commands.map((command) => [`command:${command.name()}`, () => helpOf(command)])),
};

/** Returns the help of a command. The options of every command are listed once, with the program. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
  });
  command.configureHelp({ helpWidth: HELP_COLUMNS, showGlobalOptions: false });
  command.outputHelp();
  const shown =
    command === PROGRAM ? text : text.replace(/(?:\n\nOptions:)?\n +-h, --help +display help for command/, '');
  return `\n\`\`\`text\n${shown.trimEnd()}\n\`\`\`\n`;
}
