import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { EXIT_CODES } from '../../src/cli/exit-code.ts';
import { PROGRAM } from '../../tools/documents/command-sections.ts';
import { projectRoot } from '../tools/sample-project.ts';

const document = readFileSync(path.join(projectRoot, 'docs/COMMAND_LINE.md'), 'utf8');

describe('the document of the command line', () => {
  it('has the help of every command and no others', () => {
    const told = [...document.matchAll(/^## .+\n\n<!-- command:([\w-]+) -->$/gm)].map(([, name]) => name);
    expect(told).to.have.members(PROGRAM.commands.map((command) => command.name()));
    expect(document).to.contain('<!-- command -->');
  });

  it('explains every exit code', () => {
    for (const code of Object.keys(EXIT_CODES)) expect(document).to.match(new RegExp(`^\\| ${code} \\| `, 'm'));
  });
});
