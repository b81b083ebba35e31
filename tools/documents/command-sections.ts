import type { Command } from 'commander';
import { EXIT_CODES } from '../../src/cli/exit-code.ts';
import { createProgram } from '../../src/cli/program.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { markdownTable } from './markdown-table.ts';

const { stdout, stderr } = process;

const { signal } = new AbortController();
/** The command line as the documents tell of it. */
export const PROGRAM = createProgram('', new Terminal({ stdout, stderr, signal }), signal);

/** The generated sections of the command line, by name: the help of each command, and what the exit codes mean. */
export const COMMAND_SECTIONS: Readonly<Record<string, () => string>> = {
  'exit-codes': () =>
    markdownTable(
      ['Exit code', 'Meaning'],
      Object.entries(EXIT_CODES).map(([code, meaning]) => [code, meaning]),
    ),
  command: () => helpOf(PROGRAM),
  ...Object.fromEntries(PROGRAM.commands.map((command) => [`command:${command.name()}`, () => helpOf(command)])),
};

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
  });
  command.outputHelp();
  return `\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}
