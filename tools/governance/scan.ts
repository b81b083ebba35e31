import { readFileSync, readdirSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { z } from 'zod';
import { importsOf } from './imports.ts';
import { liesIn, readRules, type GovernanceRules, type Room } from './rules.ts';
import { occurrencesOf, phasesIn } from './vocabulary.ts';

/** One breach of a rule. Lines and columns count from 1; a finding about a name is placed at 1:1 of its file. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly rule: 'term' | 'phase' | 'package' | 'direction';
  readonly term: string;
  readonly reason: string;
}

export interface Scan {
  /** Files of functional code that were read, by folder. */
  readonly filesRead: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

const RULES_FILE = 'tools/forbidden_vocabulary.yaml';
const CODE_FILE = /\.[cm]?[jt]sx?$/;

const manifestSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
  imports: z.record(z.string(), z.unknown()).default({}),
});
type Manifest = z.infer<typeof manifestSchema>;

/**
 * Holds the project at `root` against its rules. @throws when the rules or package.json cannot be read, which is not
 * the same as finding nothing.
 */
export function scanProject(root: string): Scan {
  const rules = readRules(path.join(root, RULES_FILE));
  const manifestText = readFileSync(path.join(root, 'package.json'), 'utf8');
  const manifest = manifestSchema.parse(JSON.parse(manifestText));
  const findings = dependencyFindings(manifest, manifestText, rules);
  const filesRead: Record<string, number> = {};

  for (const folder of rules.functional_code) {
    filesRead[folder] = 0;
    for (const file of filesUnder(root, folder)) {
      findings.push(...nameFindings(file, rules));
      const content = readFileSync(path.join(root, file));
      filesRead[folder] += 1;
      if (content.includes(0)) continue; // weights and pictures hold no words
      const text = content.toString('utf8');
      const place = placesIn(file, text);
      findings.push(...wordFindings(text, rules).map(({ index, ...finding }) => ({ ...place(index), ...finding })));
      if (!CODE_FILE.test(file)) continue;
      findings.push(...importFindings(file, text, manifest, rules).map(({ index, ...rest }) => ({ ...place(index), ...rest })));
    }
  }
  findings.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line || a.column - b.column));
  return { filesRead, findings };
}

type Unplaced = Omit<Finding, 'path' | 'line' | 'column'> & { readonly index: number };

function wordFindings(text: string, rules: GovernanceRules): readonly Unplaced[] {
  const terms = rules.terms.flatMap(({ term, also, reason }) =>
    [term, ...also].flatMap((form) =>
      occurrencesOf(form, text).map(({ index }) => ({ index, rule: 'term' as const, term, reason })),
    ),
  );
  const phases = phasesIn(text).map(({ index, text: phase }) => ({
    index,
    rule: 'phase' as const,
    term: phase.replaceAll(/\s+/g, ' '),
    reason: rules.project_phases.reason,
  }));
  return [...terms, ...phases];
}

function nameFindings(file: string, rules: GovernanceRules): readonly Finding[] {
  const found = file.split('/').flatMap((name) => wordFindings(name, rules));
  const named = found.map(({ index: _, ...finding }) => ({ path: file, line: 1, column: 1, ...finding }));
  if (!CODE_FILE.test(file) || roomOf(file, rules) !== undefined) return named;
  const reason = `lies in no room of ${RULES_FILE}: who may import it?`;
  return [...named, { path: file, line: 1, column: 1, rule: 'direction', term: path.posix.basename(file), reason }];
}

function dependencyFindings(manifest: Manifest, text: string, rules: GovernanceRules): Finding[] {
  const place = placesIn('package.json', text);
  const dependencies = Object.entries({
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
    ...manifest.dependencies,
  });
  return dependencies.flatMap(([name, version]) => {
    // "queue": "npm:bullmq@5" installs bullmq under another name.
    const installed = /^npm:(@?[^@]+)/.exec(version)?.[1] ?? name;
    const reason = reasonAgainst(installed, rules) ?? reasonAgainst(name, rules);
    const at = new RegExp(String.raw`"${RegExp.escape?.(name) ?? name}"\s*:\s*"`).exec(text)?.index ?? 0;
    return reason === undefined ? [] : [{ ...place(at), rule: 'package' as const, term: installed, reason }];
  });
}

function importFindings(file: string, text: string, manifest: Manifest, rules: GovernanceRules): readonly Unplaced[] {
  const from = roomOf(file, rules);
  return importsOf(text).flatMap(({ specifier, index }): readonly Unplaced[] => {
    if (specifier === undefined) {
      return [{ index, rule: 'direction', term: 'import', reason: 'a computed import cannot be judged' }];
    }
    const target = targetOf(specifier, file, manifest);
    const finding =
      target.kind === 'package'
        ? packageFinding(target.name, file, from, rules)
        : fileFinding(target.path, from, rules);
    return finding === undefined ? [] : [{ index, term: specifier, ...finding }];
  });
}

type Verdict = Pick<Finding, 'rule' | 'reason'>;

function packageFinding(
  name: string,
  file: string,
  from: NamedRoom | undefined,
  rules: GovernanceRules,
): Verdict | undefined {
  const denied = reasonAgainst(name, rules);
  if (denied !== undefined) return { rule: 'package', reason: denied };
  if (from?.room.packages !== undefined && !matchesAny(name, from.room.packages)) {
    return { rule: 'direction', reason: `${from.name} may import only ${from.room.packages.join(', ') || 'nothing'}` };
  }
  const kept = rules.kept_packages.find((rule) => matchesAny(name, rule.packages) && !liesIn(file, rule.only_in));
  return kept && { rule: 'direction', reason: `only in ${kept.only_in.join(', ')}: ${kept.reason}` };
}

function fileFinding(target: string, from: NamedRoom | undefined, rules: GovernanceRules): Verdict | undefined {
  if (!CODE_FILE.test(target)) return undefined; // data, such as package.json
  const to = roomOf(target, rules);
  if (to === undefined) return { rule: 'direction', reason: `${target} is in no room of functional code` };
  if (from === undefined || from.name === to.name) return undefined;
  if (from.room.may_import.some((allowed) => allowed === to.name || liesIn(target, [allowed]))) return undefined;
  return { rule: 'direction', reason: `${from.name} may not import ${to.name}` };
}

type Target =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'package'; readonly name: string };

function targetOf(specifier: string, file: string, manifest: Manifest): Target {
  if (specifier.startsWith('#')) {
    const mapped = manifest.imports[specifier];
    // What package.json does not map to one file is judged as a package of that name.
    return typeof mapped === 'string' ? targetOf(mapped, '', manifest) : { kind: 'package', name: specifier };
  }
  if (/^\.{1,2}(\/|$)|^\/|^file:/.test(specifier)) {
    const joined = path.posix.join(path.posix.dirname(file), specifier.replace(/[?#].*$/, ''));
    // Code that runs names the compiled file: ./child.js is child.ts here.
    return { kind: 'file', path: joined.replace(/\.([cm]?)js(x?)$/, '.$1ts$2') };
  }
  if (isBuiltin(specifier)) return { kind: 'package', name: `node:${specifier.replace(/^node:/, '')}` };
  const parts = specifier.split('/');
  return { kind: 'package', name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}

interface NamedRoom {
  readonly name: string;
  readonly room: Room;
}

function roomOf(file: string, rules: GovernanceRules): NamedRoom | undefined {
  const fitting = Object.entries(rules.rooms).flatMap(([name, room]) =>
    room.paths.filter((place) => liesIn(file, [place])).map((place) => ({ name, room, length: place.length })),
  );
  return fitting.sort((a, b) => b.length - a.length)[0];
}

function reasonAgainst(name: string, rules: GovernanceRules): string | undefined {
  return rules.denied_packages.find(({ packages }) => matchesAny(name, packages))?.reason;
}

/** `*` stands for any part of a name; `node:fs` also covers `node:fs/promises`. */
function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const source = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
    return new RegExp(`^${source.join('.*')}(/|$)`, 'i').test(name);
  });
}

function placesIn(file: string, text: string): (index: number) => Pick<Finding, 'path' | 'line' | 'column'> {
  return (index) => {
    const before = text.slice(0, index);
    const line = before.split('\n').length;
    return { path: file, line, column: index - before.lastIndexOf('\n') };
  };
}

function filesUnder(root: string, folder: string): readonly string[] {
  const start = path.join(root, folder);
  if (statSync(start, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(start, { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/')))
    .filter((file) => statSync(path.join(root, file)).isFile())
    .toSorted();
}
