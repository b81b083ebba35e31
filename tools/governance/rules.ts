import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { z } from 'zod';
import { messageOf } from '../../src/errors.ts';

const word = z.string().min(1);
const reason = z.string().min(1);
/** A folder ends in `/`; anything else is a file. Both are relative to the project's root. */
const place = z.string().regex(/^[^/.][^\\]*$/, 'a path relative to the project, folders with a / at the end');

const moduleSchema = z.strictObject({
  paths: z.array(place).min(1),
  may_import: z.array(word),
  packages: z.array(word).optional(),
});

const rulesSchema = z
  .strictObject({
    functional_code: z.array(place.regex(/\/$/, 'a folder, with a / at the end')).min(1),
    terms: z
      .array(
        z.strictObject({
          term: z.string().regex(/^[a-z]+(_[a-z]+)*$/, 'snake_case'),
          also: z.array(z.string().regex(/^[a-z]+(_[a-z]+)*$/, 'snake_case')).default([]),
          reason,
        }),
      )
      .min(1),
    project_phases: z.strictObject({ reason }),
    denied_packages: z.array(z.strictObject({ reason, packages: z.array(word).min(1) })).min(1),
    modules: z.record(word, moduleSchema).refine((modules) => Object.keys(modules).length > 0, 'no module'),
    kept_packages: z.array(z.strictObject({ packages: z.array(word).min(1), only_in: z.array(place).min(1), reason })),
  })
  .check(({ value, issues }) => {
    for (const [name, module] of Object.entries(value.modules)) {
      for (const target of module.may_import) {
        if (target in value.modules || Object.values(value.modules).some((other) => liesIn(target, other.paths)))
          continue;
        issues.push({ code: 'custom', message: `no module holds ${target}`, path: ['modules', name], input: target });
      }
    }
  });

/** The rules of tools/forbidden_vocabulary.yaml. */
export type GovernanceRules = z.infer<typeof rulesSchema>;
export type Module = z.infer<typeof moduleSchema>;

/** @throws if the file is missing, not YAML, or invalid; the message says why */
export function readRules(path: string): GovernanceRules {
  const parsed = rulesSchema.safeParse(parseYaml(path));
  if (!parsed.success) throw new Error(`${path} is not a table of rules:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function parseYaml(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  try {
    return load(text);
  } catch (error) {
    throw new Error(`${path} is not YAML: ${messageOf(error)}`, { cause: error });
  }
}

/** Returns true if `path` is one of the files or in one of the folders. */
export function liesIn(path: string, places: readonly string[]): boolean {
  return places.some((candidate) => (candidate.endsWith('/') ? path.startsWith(candidate) : path === candidate));
}
