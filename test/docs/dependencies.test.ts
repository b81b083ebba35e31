import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { projectRoot } from '../tools/sample-project.ts';

const read = (file: string): string => readFileSync(path.join(projectRoot, file), 'utf8');
const packages = z.record(z.string(), z.string());
const manifest = z
  .object({ dependencies: packages, devDependencies: packages })
  .parse(JSON.parse(read('package.json')));

describe('the tables of dependencies', () => {
  for (const [heading, part] of [
    ['## Dependencies', 'dependencies'],
    ['### For development', 'devDependencies'],
  ] as const) {
    it(`"${heading}" explains every package of package.json, and no other`, () => {
      const [, section = ''] = read('docs/ARCHITECTURE.md').split(`\n${heading}\n`);
      const [table = ''] = section.split(/^#/m);
      const cells = [...table.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);
      const explained = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
      expect(explained).to.have.members(Object.keys(manifest[part]));
    });
  }
});
