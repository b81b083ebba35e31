/** A word, a string or a sign of a source file. Comments, regular expressions and numbers leave none behind. */
export interface SourceToken {
  readonly kind: 'word' | 'string' | 'sign';
  /** The word, the sign, or what stands between the string's quotes. */
  readonly text: string;
  readonly index: number;
}

const WORD = /[\p{L}\p{Nl}$_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}$]*/uy;
const NUMBER = /\d[\w.]*/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const PLAIN_TEMPLATE = /`(?:[^`\\$]|\\[\s\S]|\$(?!\{))*`/y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/y;
const REGULAR_EXPRESSION = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** After these a slash begins a regular expression; after any other word, a number, `)` or `]` it divides. */
const BEFORE_EXPRESSION = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'await',
  'yield',
]);

/**
 * Cuts JavaScript or TypeScript into the tokens that imports are made of. Not a parser: it knows comments, strings,
 * templates and regular expressions well enough never to take the inside of one for code, and nothing else.
 */
export function sourceTokens(source: string): readonly SourceToken[] {
  const tokens: SourceToken[] = [];
  /** For every open `${`, the number of braces open inside it. */
  const templates: number[] = [];
  let index = 0;

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = index;
    return pattern.exec(source)?.[0];
  };
  const push = (kind: SourceToken['kind'], raw: string, text = raw): void => {
    tokens.push({ kind, text, index });
    index += raw.length;
  };
  /** The rest of a template up to its end or its next `${`, leaving a sign that is no string: its value is not known. */
  const takeTemplate = (): void => {
    const raw = take(TEMPLATE_TEXT) ?? '';
    if (raw.endsWith('${')) templates.push(0);
    push('sign', raw, '`');
  };

  while (index < source.length) {
    const character = source.charAt(index);
    const last = tokens.at(-1);
    const skipped = take(COMMENT) ?? (mayBeginExpression(last) ? take(REGULAR_EXPRESSION) : undefined);
    if (skipped !== undefined) {
      // A regular expression is a value: a slash behind it divides.
      if (!skipped.startsWith('//') && !skipped.startsWith('/*')) push('sign', skipped, ')');
      else index += skipped.length;
      continue;
    }
    const string = take(STRING) ?? take(PLAIN_TEMPLATE);
    const word = take(WORD);
    const number = take(NUMBER);
    const open = templates.at(-1);
    if (string !== undefined) push('string', string, string.slice(1, -1));
    else if (word !== undefined) push('word', word);
    else if (number !== undefined) push('sign', number, ')');
    else if (character === '`') {
      index += 1;
      takeTemplate();
    } else if (character === '}' && open === 0) {
      templates.pop();
      index += 1;
      takeTemplate();
    } else if (/\s/.test(character)) index += 1;
    else {
      if (open !== undefined && character === '{') templates[templates.length - 1] = open + 1;
      if (open !== undefined && character === '}') templates[templates.length - 1] = open - 1;
      push('sign', character);
    }
  }
  return tokens;
}

function mayBeginExpression(last: SourceToken | undefined): boolean {
  if (last === undefined) return true;
  if (last.kind === 'word') return BEFORE_EXPRESSION.has(last.text);
  return last.kind === 'sign' && last.text !== ')' && last.text !== ']' && last.text !== '`';
}
