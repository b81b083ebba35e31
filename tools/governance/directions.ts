import { isBuiltin } from 'node:module';
import path from 'node:path';
import type { Breach } from './breach.ts';
import { importsOf } from './imports.ts';
import { reasonAgainst, type Manifest } from './manifest.ts';
import { fitsAny } from './name-pattern.ts';
import { liesIn, type GovernanceRules, type Room } from './rules.ts';

export const CODE_FILE = /\.[cm]?[jt]sx?$/;

/** The imports of one file, given by its path in the project, that the table of rooms does not allow. */
export function importBreaches(
  file: string,
  source: string,
  manifest: Manifest,
  rules: GovernanceRules,
): readonly Breach[] {
  const from = roomOf(file, rules);
  return importsOf(file, source).flatMap(({ specifier, index }): readonly Breach[] => {
    if (specifier === undefined) {
      return [{ index, rule: 'direction', term: 'import', reason: 'a computed import cannot be judged' }];
    }
    const target = targetOf(specifier, file, manifest);
    const verdict =
      target.kind === 'package'
        ? againstPackage(target.name, file, from, rules)
        : againstFile(target.path, from, rules);
    return verdict === undefined ? [] : [{ index, term: specifier, ...verdict }];
  });
}

export interface NamedRoom {
  readonly name: string;
  readonly room: Room;
}

/** The room with the longest path that fits; undefined when a file lies in none. */
export function roomOf(file: string, rules: GovernanceRules): NamedRoom | undefined {
  const fitting = Object.entries(rules.rooms).flatMap(([name, room]) =>
    room.paths.filter((place) => liesIn(file, [place])).map((place) => ({ name, room, length: place.length })),
  );
  return fitting.toSorted((a, b) => b.length - a.length)[0];
}

type Verdict = Pick<Breach, 'rule' | 'reason'> | undefined;

function againstPackage(name: string, file: string, from: NamedRoom | undefined, rules: GovernanceRules): Verdict {
  const denied = reasonAgainst(name, rules);
  if (denied !== undefined) return { rule: 'package', reason: denied };
  if (from?.room.packages !== undefined && !fitsAny(name, from.room.packages)) {
    return { rule: 'direction', reason: `${from.name} may import only ${from.room.packages.join(', ')}` };
  }
  const kept = rules.kept_packages.find((rule) => fitsAny(name, rule.packages) && !liesIn(file, rule.only_in));
  return kept && { rule: 'direction', reason: `only in ${kept.only_in.join(', ')}: ${kept.reason}` };
}

function againstFile(target: string, from: NamedRoom | undefined, rules: GovernanceRules): Verdict {
  if (!CODE_FILE.test(target)) return undefined; // data, such as package.json
  const to = roomOf(target, rules);
  if (to === undefined) return { rule: 'direction', reason: `${target} is in no room of functional code` };
  if (from === undefined || from.name === to.name) return undefined;
  if (from.room.may_import.some((allowed) => allowed === to.name || liesIn(target, [allowed]))) return undefined;
  return { rule: 'direction', reason: `${from.name} may not import ${to.name}` };
}

type Target = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'package'; readonly name: string };

function targetOf(specifier: string, file: string, manifest: Manifest): Target {
  if (specifier.startsWith('#')) {
    const mapped = manifest.imports[specifier];
    // What package.json does not map to one file is judged as a package of that name.
    return typeof mapped === 'string' ? targetOf(mapped, '', manifest) : { kind: 'package', name: specifier };
  }
  if (/^(\/|file:)/.test(specifier)) return { kind: 'file', path: specifier };
  if (/^\.{1,2}(\/|$)/.test(specifier)) {
    const joined = path.posix.join(path.posix.dirname(file), specifier.replace(/[?#].*$/, ''));
    // Code that runs names the compiled file: ./child.js is child.ts here.
    return { kind: 'file', path: joined.replace(/\.([cm]?)js(x?)$/, '.$1ts$2') };
  }
  if (isBuiltin(specifier)) return { kind: 'package', name: `node:${specifier.replace(/^node:/, '')}` };
  const parts = specifier.split('/');
  return { kind: 'package', name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}
