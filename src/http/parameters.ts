import { z } from 'zod';
import { ServiceError } from '../errors.ts';

type Given = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Parses parameters. One may be in several sources, such as the query and a form, or several times in one, if all
 * values agree. An empty one counts as not given. The messages of the schema follow the parameter's name.
 * @throws ServiceError `invalid_request`
 */
export function parseParameters<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  sources: readonly Given[],
): z.infer<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const values = new Set(sources.flatMap((source) => (Object.hasOwn(source, name) ? (source[name] ?? []) : [])));
    values.delete('');
    if (values.size > 1) throw new ServiceError('invalid_request', `${name} is given twice with different values`);
    for (const value of values) given[name] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new ServiceError('invalid_request', faults.join('; '), { cause: parsed.error });
}

/** A whole number in decimal digits. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
}

/** A decimal number without an exponent. */
export function decimal(min: number, max: number) {
  return z
    .string()
    .regex(/^(?:\d+(?:\.\d+)?|\.\d+)$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
}
