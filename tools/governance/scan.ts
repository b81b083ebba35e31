import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Breach } from './breach.ts';
import { CODE_FILE, importBreaches, moduleOf } from './directions.ts';
import { dependencyBreaches, parseManifest } from './manifest.ts';
import { readRules, type GovernanceRules } from './rules.ts';
import { occurrencesOf, phasesIn } from './vocabulary.ts';

/** A breach and its position. Lines and columns count from 1; a breach of a file name is at 1:1. */
export interface Finding extends Omit<Breach, 'index'> {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

export interface Scan {
  /** Number of files of functional code that were read, by folder. */
  readonly filesRead: Readonly<Record<string, number>>;
  /** Sorted by path, line and column. */
  readonly findings: readonly Finding[];
}

const RULES_FILE = 'tools/forbidden_vocabulary.yaml';

/**
 * Checks the project at `root` against its rules. @throws if the rules or package.json cannot be read, which differs
 * from finding nothing
 */
export function scanProject(root: string): Scan {
  const rules = readRules(path.join(root, RULES_FILE));
  const manifestText = readFileSync(path.join(root, 'package.json'), 'utf8');
  const manifest = parseManifest(manifestText);
  const findings = placed('package.json', manifestText, dependencyBreaches(manifest, manifestText, rules));
  const filesRead: Record<string, number> = {};

  for (const folder of rules.functional_code) {
    const files = filesUnder(root, folder);
    filesRead[folder] = files.length;
    for (const file of files) {
      findings.push(...placed(file, '', nameBreaches(file, rules)));
      const content = readFileSync(path.join(root, file));
      if (content.includes(0)) continue; // weights and pictures hold no words
      const text = content.toString('utf8');
      findings.push(...placed(file, text, wordBreaches(text, rules)));
      if (CODE_FILE.test(file)) findings.push(...placed(file, text, importBreaches(file, text, manifest, rules)));
    }
  }
  return { filesRead, findings: findings.toSorted(byPlace) };
}

function wordBreaches(text: string, rules: GovernanceRules): readonly Breach[] {
  const terms = rules.terms.flatMap(({ term, also, reason }) =>
    occurrencesOf([term, ...also], text).map(({ index }): Breach => ({ index, rule: 'term', term, reason })),
  );
  const phases = phasesIn(text).map((phase): Breach => ({
    index: phase.index,
    rule: 'phase',
    term: phase.text.replaceAll(/\s+/g, ' '),
    reason: rules.project_phases.reason,
  }));
  return [...terms, ...phases];
}

function nameBreaches(file: string, rules: GovernanceRules): readonly Breach[] {
  const words = file.split('/').flatMap((name) => wordBreaches(name, rules));
  const named = words.map((breach) => ({ ...breach, index: 0 }));
  if (!CODE_FILE.test(file) || moduleOf(file, rules) !== undefined) return named;
  const reason = `lies in no module of ${RULES_FILE}`;
  return [...named, { index: 0, rule: 'direction', term: path.posix.basename(file), reason }];
}

function placed(file: string, text: string, breaches: readonly Breach[]): Finding[] {
  return breaches.map(({ index, ...breach }) => {
    const before = text.slice(0, index);
    return { path: file, line: before.split('\n').length, column: index - before.lastIndexOf('\n'), ...breach };
  });
}

function byPlace(a: Finding, b: Finding): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

function filesUnder(root: string, folder: string): readonly string[] {
  const start = path.join(root, folder);
  if (statSync(start, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(start, { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/')))
    .filter((file) => statSync(path.join(root, file)).isFile())
    .toSorted();
}
