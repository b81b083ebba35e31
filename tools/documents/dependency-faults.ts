import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { DocumentFault } from './document-faults.ts';

/** The document that says of each package why it is there. */
export const DEPENDENCIES_DOCUMENT = 'docs/ARCHITECTURE.md';

/** A heading of that document, and the part of package.json that its table repeats. */
const TABLES = [
  { heading: '## Dependencies', part: 'dependencies' },
  { heading: '### For development', part: 'devDependencies' },
] as const;

const packagesSchema = z.record(z.string(), z.string()).default({});
const manifestSchema = z.object({ dependencies: packagesSchema, devDependencies: packagesSchema });

/** Packages of package.json that no table explains, and packages in a table that package.json does not have. */
export function dependencyFaults(root: string): readonly DocumentFault[] {
  const document = path.join(root, DEPENDENCIES_DOCUMENT);
  if (!existsSync(document)) return [];
  const lines = readFileSync(document, 'utf8').split('\n');
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')));
  return TABLES.flatMap(({ heading, part }) => {
    const start = lines.indexOf(heading);
    const told = start === -1 ? new Map<string, number>() : packagesUnder(lines, start);
    const line = Math.max(0, start) + 1;
    const installed = Object.keys(manifest[part]);
    return [
      ...installed
        .filter((name) => !told.has(name))
        .map((name) => ({ line, message: `"${heading}" does not tell why ${name} is there` })),
      ...[...told]
        .filter(([name]) => !installed.includes(name))
        .map(([name, at]) => ({ line: at, message: `${name} is none of the ${part} in package.json` })),
    ];
  });
}

/** The names in backquotes in the first column of the table under a heading, each with its line, from 1. */
function packagesUnder(lines: readonly string[], start: number): ReadonlyMap<string, number> {
  const told = new Map<string, number>();
  for (const [offset, text] of lines.slice(start + 1).entries()) {
    if (text.startsWith('#')) break;
    const [, cell = ''] = /^\| (.*?) \|/.exec(text) ?? [];
    for (const [, name = ''] of cell.matchAll(/`([^`]+)`/g)) told.set(name, start + offset + 2);
  }
  return told;
}
