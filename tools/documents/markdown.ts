/** A link of a document with its line, from 1. */
export interface MarkdownLink {
  readonly target: string;
  readonly line: number;
}

const INLINE_LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^"']*["'])?\s*\)/g;
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/g;
const HTML_LINK = /<(?:a|img)\s[^>]*?(?:href|src)="([^"]+)"/g;

/** Returns every link outside code. */
export function linksOf(markdown: string): readonly MarkdownLink[] {
  return withoutCode(markdown)
    .split('\n')
    .flatMap((text, at) =>
      [INLINE_LINK, DEFINITION, HTML_LINK].flatMap((pattern) =>
        [...text.matchAll(pattern)].map(([, target = '']) => ({ target, line: at + 1 })),
      ),
    );
}

/**
 * Returns the anchors that GitHub creates: each heading in lower case, without punctuation, spaces as hyphens, repeated
 * ones numbered from 1; and every `id`.
 */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  for (const [, heading = ''] of withoutFences(markdown).matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times === 0 ? slug : `${slug}-${times}`);
  }
  for (const [, id = ''] of markdown.matchAll(/<[a-z]+\s[^>]*?\b(?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replaceAll(/(`+)[^`\n](?:.*?[^`\n])?\1(?!`)/g, '');
}

/** Replaces fenced code by empty lines, so that lines keep their numbers. */
function withoutFences(markdown: string): string {
  return markdown.replaceAll(/^ {0,3}(`{3,}|~{3,})[\s\S]*?(?:^ {0,3}\1[`~]*[ \t]*$|$(?![\s\S]))/gm, (code) =>
    code.replaceAll(/[^\n]/g, ''),
  );
}
