import { EXIT_CODES } from '../../src/cli/exit-code.ts';
import { createProgram, HELP_COLUMNS } from '../../src/cli/program.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { markdownTable } from './markdown-table.ts';

const { stdout, stderr } = process;

const { signal } = new AbortController();

/** The generated sections of the command line, by name. */
export const COMMAND_SECTIONS: Readonly<Record<string, () => string>> = {
  'exit-codes': () =>
    markdownTable(
      ['Exit code', 'Meaning'],
      Object.entries(EXIT_CODES).map(([code, meaning]) => [code, meaning]),
    ),
  command: commandList,
};

/** Returns the commands with their summaries, as in the help of the program. */
function commandList(): string {
  const program = createProgram('', new Terminal({ stdout, stderr, signal }), signal);
  let text = '';
  program.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
  });
  program.configureHelp({ helpWidth: HELP_COLUMNS });
  program.outputHelp();
  const list = text.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
  return `\n\`\`\`text\n${list}\n\`\`\`\n`;
}
