/** Returns a URL query of the given values. Undefined values are left out; the items of a list are joined by commas. */
export function queryOf(
  values: Readonly<Record<string, string | number | boolean | readonly number[] | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
}
