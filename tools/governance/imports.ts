import { parseSync, Visitor, type Expression, type Span } from 'oxc-parser';

/** A reference from a source file to a module. */
export interface ImportReference {
  /** As written; undefined if it is computed. */
  readonly specifier: string | undefined;
  readonly index: number;
}

/**
 * Returns every module that a source file names: `import … from`, `export … from`, `import '…'`, `import type`,
 * `import('…')` as expression or type, `require('…')`, `import.meta.resolve('…')`, and `new URL('./….ts',
 * import.meta.url)`, which names the module of a child process or thread.
 */
export function importsOf(file: string, source: string): readonly ImportReference[] {
  const { program, errors } = parseSync(file, source);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file} cannot be parsed: ${error.message}`);
  const found: ImportReference[] = [];
  const addText = (text: (Span & { readonly value: unknown }) | null): void => {
    if (text !== null) found.push({ specifier: String(text.value), index: text.start });
  };
  const addArgument = (argument: Expression | undefined, call: Span): void => {
    const specifier = textOf(argument);
    found.push({ specifier, index: specifier === undefined || argument === undefined ? call.start : argument.start });
  };
  new Visitor({
    ImportDeclaration: ({ source: from }) => addText(from),
    ExportAllDeclaration: ({ source: from }) => addText(from),
    ExportNamedDeclaration: ({ source: from }) => addText(from),
    TSImportType: ({ source: from }) => addText(from),
    TSExternalModuleReference: ({ expression }) => addText(expression),
    ImportExpression: (call) => addArgument(call.source, call),
    CallExpression: (call) => {
      const [argument] = call.arguments;
      if (!RESOLVERS.has(source.slice(call.callee.start, call.callee.end))) return;
      addArgument(argument?.type === 'SpreadElement' ? undefined : argument, call);
    },
    NewExpression: ({ callee, arguments: [target, base] }) => {
      if (source.slice(callee.start, callee.end) !== 'URL' || base === undefined) return;
      if (source.slice(base.start, base.end) !== 'import.meta.url' || target?.type === 'SpreadElement') return;
      const specifier = textOf(target);
      if (target !== undefined && specifier !== undefined && CODE_FILE.test(specifier)) {
        found.push({ specifier, index: target.start });
      }
    },
  }).visit(program);
  return found.toSorted((a, b) => a.index - b.index);
}

const CODE_FILE = /\.[cm]?[jt]sx?$/;
const RESOLVERS = new Set(['require', 'require.resolve', 'import.meta.resolve']);

/** Returns the value of a string, or of a template without expressions. */
function textOf(expression: Expression | undefined): string | undefined {
  if (expression?.type === 'Literal' && typeof expression.value === 'string') return expression.value;
  if (expression?.type === 'TemplateLiteral' && expression.expressions.length === 0) {
    return expression.quasis[0]?.value.cooked ?? undefined;
  }
  return undefined;
}
