import { isBuiltin } from 'node:module';
import path from 'node:path';
import type { Breach } from './breach.ts';
import { importsOf } from './imports.ts';
import { reasonAgainst, type Manifest } from './manifest.ts';
import { fitsAny } from './name-pattern.ts';
import { liesIn, type GovernanceRules, type Module } from './rules.ts';

export const CODE_FILE = /\.[cm]?[jt]sx?$/;

/** Returns the imports of one file (path in the project) that the table of modules does not allow. */
export function importBreaches(
  file: string,
  source: string,
  manifest: Manifest,
  rules: GovernanceRules,
): readonly Breach[] {
  const from = moduleOf(file, rules);
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

export interface NamedModule {
  readonly name: string;
  readonly module: Module;
}

/** Returns the module with the longest matching path; undefined if a file is in none. */
export function moduleOf(file: string, rules: GovernanceRules): NamedModule | undefined {
  const fitting = Object.entries(rules.modules).flatMap(([name, module]) =>
    module.paths.filter((place) => liesIn(file, [place])).map((place) => ({ name, module, length: place.length })),
  );
  return fitting.toSorted((a, b) => b.length - a.length)[0];
}

type Verdict = Pick<Breach, 'rule' | 'reason'> | undefined;

function againstPackage(name: string, file: string, from: NamedModule | undefined, rules: GovernanceRules): Verdict {
  const denied = reasonAgainst(name, rules);
  if (denied !== undefined) return { rule: 'package', reason: denied };
  if (from?.module.packages !== undefined && !fitsAny(name, from.module.packages)) {
    return { rule: 'direction', reason: `${from.name} may import only ${from.module.packages.join(', ')}` };
  }
  const kept = rules.kept_packages.find((rule) => fitsAny(name, rule.packages) && !liesIn(file, rule.only_in));
  return kept && { rule: 'direction', reason: `only in ${kept.only_in.join(', ')}: ${kept.reason}` };
}

function againstFile(target: string, from: NamedModule | undefined, rules: GovernanceRules): Verdict {
  if (!CODE_FILE.test(target)) return undefined; // data, such as package.json
  const to = moduleOf(target, rules);
  if (to === undefined) return { rule: 'direction', reason: `${target} is in no module of functional code` };
  if (from === undefined || from.name === to.name) return undefined;
  if (from.module.may_import.some((allowed) => allowed === to.name || liesIn(target, [allowed]))) return undefined;
  return { rule: 'direction', reason: `${from.name} may not import ${to.name}` };
}

type Target = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'package'; readonly name: string };

function targetOf(specifier: string, file: string, manifest: Manifest): Target {
  if (specifier.startsWith('#')) {
    const mapped = manifest.imports[specifier];
    // A name that package.json does not map to one file counts as a package.
    return typeof mapped === 'string' ? targetOf(mapped, '', manifest) : { kind: 'package', name: specifier };
  }
  if (/^(\/|file:)/.test(specifier)) return { kind: 'file', path: specifier };
  if (/^\.{1,2}(\/|$)/.test(specifier)) {
    const joined = path.posix.join(path.posix.dirname(file), specifier.replace(/[?#].*$/, ''));
    // Running code names the compiled file: ./child.js is child.ts here.
    return { kind: 'file', path: joined.replace(/\.([cm]?)js(x?)$/, '.$1ts$2') };
  }
  if (isBuiltin(specifier)) return { kind: 'package', name: `node:${specifier.replace(/^node:/, '')}` };
  const parts = specifier.split('/');
  return { kind: 'package', name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}
