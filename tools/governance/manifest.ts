import { z } from 'zod';
import type { Breach } from './breach.ts';
import { fitsAny, literally } from './name-pattern.ts';
import type { GovernanceRules } from './rules.ts';

const manifestSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
  imports: z.record(z.string(), z.unknown()).default({}),
});

/** The parts of a package.json that governance reads. Development packages do not matter. */
export type Manifest = z.infer<typeof manifestSchema>;

/** @throws if the text is not JSON or not a package.json */
export function parseManifest(text: string): Manifest {
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`package.json is not understood:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Denied runtime dependencies. */
export function dependencyBreaches(manifest: Manifest, text: string, rules: GovernanceRules): readonly Breach[] {
  const dependencies = { ...manifest.peerDependencies, ...manifest.optionalDependencies, ...manifest.dependencies };
  return Object.entries(dependencies).flatMap(([name, version]) => {
    // "queue": "npm:bullmq@5" installs bullmq under another name.
    const installed = /^npm:(@?[^@]+)/.exec(version)?.[1] ?? name;
    const reason = reasonAgainst(installed, rules) ?? reasonAgainst(name, rules);
    if (reason === undefined) return [];
    const index = text.search(new RegExp(String.raw`"${literally(name)}"\s*:\s*"${literally(version)}"`));
    return [{ index: Math.max(0, index), rule: 'package', term: installed, reason }];
  });
}

/** Returns why a package may not be used at run time; undefined if it may. */
export function reasonAgainst(name: string, rules: GovernanceRules): string | undefined {
  return rules.denied_packages.find(({ packages }) => fitsAny(name, packages))?.reason;
}
