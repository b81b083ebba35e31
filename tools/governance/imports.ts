import { sourceTokens, type SourceToken } from './source-tokens.ts';

/** One reference from a source file to a module. */
export interface ImportReference {
  /** As written; undefined when it is computed and cannot be known. */
  readonly specifier: string | undefined;
  readonly index: number;
}

const CODE_FILE = /\.[cm]?[jt]sx?$/;

/**
 * Every module that a source file names: `import … from`, `export … from`, `import '…'`, `import type`, `import('…')`
 * as expression or type, `require('…')`, `import.meta.resolve('…')`, and `new URL('./….ts', import.meta.url)`, which is
 * how a child process or thread is given its module.
 */
export function importsOf(source: string): readonly ImportReference[] {
  const tokens = sourceTokens(source);
  const found: ImportReference[] = [];
  tokens.forEach((token, at) => {
    if (token.kind !== 'word') return;
    const follows = (offset: number, text: string): boolean => {
      const next = tokens[at + offset];
      return next !== undefined && next.kind !== 'string' && next.text === text;
    };
    const property = at > 0 && follows(-1, '.');
    const add = (target: SourceToken | undefined, whenComputed: 'add' | 'drop'): void => {
      if (target?.kind === 'string') found.push({ specifier: target.text, index: target.index });
      else if (whenComputed === 'add') found.push({ specifier: undefined, index: token.index });
    };
    /** The argument that begins at an offset; undefined when it goes on behind its first token: it is computed. */
    const argument = (offset: number): SourceToken | undefined =>
      follows(offset + 1, ')') || follows(offset + 1, ',') ? tokens[at + offset] : undefined;

    if (token.text === 'from' && !property) add(tokens[at + 1], 'drop');
    else if (token.text === 'import' && !property) {
      if (follows(1, '(')) add(argument(2), 'add');
      else if (follows(1, '.') && follows(2, 'meta') && follows(3, '.') && follows(4, 'resolve') && follows(5, '('))
        add(argument(6), 'add');
      else add(tokens[at + 1], 'drop');
    } else if (token.text === 'require' && follows(1, '(')) add(argument(2), 'add');
    else if (token.text === 'require' && follows(1, '.') && follows(2, 'resolve') && follows(3, '('))
      add(argument(4), 'add');
    else if (
      token.text === 'URL' &&
      follows(1, '(') &&
      follows(4, 'import') &&
      follows(6, 'meta') &&
      follows(8, 'url')
    ) {
      const target = tokens[at + 2];
      if (target?.kind === 'string' && CODE_FILE.test(target.text)) add(target, 'drop');
    }
  });
  return found;
}
