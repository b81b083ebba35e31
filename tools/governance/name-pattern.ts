/**
 * Returns true if a package name matches one of the patterns: `*` stands for any part of a name, `node:fs` includes
 * `node:fs/promises`.
 */
export function fitsAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    new RegExp(`^${pattern.split('*').map(literally).join('.*')}(/|$)`, 'i').test(name),
  );
}

/** Escapes a text for a regular expression. */
export function literally(text: string): string {
  return text.replaceAll(/[.+*?^${}()|[\]\\]/g, String.raw`\$&`);
}
