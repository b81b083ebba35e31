import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { EXIT_CODES } from '../../src/cli/exit-code.ts';
import { projectRoot } from '../tools/sample-project.ts';

const document = readFileSync(path.join(projectRoot, 'docs/COMMAND_LINE.md'), 'utf8');

describe('the document of the command line', () => {
  it('has the generated list of commands, and sections of no other command', () => {
    const listed = /<!-- command -->([\s\S]*?)<!-- \/command -->/.exec(document)?.[1] ?? '';
    const commands = [...listed.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name);
    expect(commands).to.include.members(['serve', 'submit', 'doctor']);
    const sections = [...document.matchAll(/^## ([a-z]+)$/gm)].map(([, name]) => name);
    expect(sections).to.include('query');
    expect(commands).to.include.members(sections);
  });

  it('explains every exit code', () => {
    for (const code of Object.keys(EXIT_CODES)) expect(document).to.match(new RegExp(`^\\| ${code} \\| `, 'm'));
  });
});
