/** True when a package's name fits one of the patterns: `*` stands for any part of a name, `node:fs` covers `node:fs/promises`. */
export function fitsAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    new RegExp(`^${pattern.split('*').map(literally).join('.*')}(/|$)`, 'i').test(name),
  );
}

/** The source of a regular expression that matches just this text. */
export function literally(text: string): string {
  return text.replaceAll(/[.+*?^${}()|[\]\\]/g, String.raw`\$&`);
}
