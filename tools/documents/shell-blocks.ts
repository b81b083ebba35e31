/** A block of shell commands in a document. */
export interface ShellBlock {
  /** Line of its first command, from 1. */
  readonly line: number;
  readonly commands: string;
  /** Expected output, from the text or JSON block that follows; `…` stands for anything. */
  readonly prints: string | undefined;
  /** From the comment before the block: `<!-- shell: … -->`. */
  readonly direction: Direction;
}

/**
 * - `run` (no comment): the commands are run to their end, with the service that the document started, if any;
 * - `service`: the command starts a service that keeps running;
 * - `stopped`: the service is stopped before the commands are run;
 * - `skip`: not run, for the given reason.
 */
export type Direction =
  | { readonly kind: 'run' | 'service' | 'stopped' }
  | { readonly kind: 'skip'; readonly reason: string };

const BLOCK = /(?:^<!-- shell: (.+) -->\n)?^```sh\n([\s\S]*?)^```$(?:\n\n?^```(?:text|json)\n([\s\S]*?)^```$)?/gm;
const SHELL_FENCE = /^```(?:sh|bash|shell|console)$/gm;

/** @throws if a block has another language, so that it would be missed, or an unknown comment */
export function shellBlocksOf(markdown: string): readonly ShellBlock[] {
  const blocks = [...markdown.matchAll(BLOCK)].map((match): ShellBlock => {
    const [whole, direction, commands = '', prints] = match;
    const before = markdown.slice(0, match.index) + whole.slice(0, whole.indexOf('```sh\n'));
    return { line: before.split('\n').length + 1, commands, prints, direction: directionOf(direction) };
  });
  const fences = markdown.match(SHELL_FENCE)?.length ?? 0;
  if (fences !== blocks.length) throw new Error(`${fences} fences of shell commands, and ${blocks.length} blocks`);
  return blocks;
}

function directionOf(text: string | undefined): Direction {
  if (text === undefined) return { kind: 'run' };
  if (text === 'service' || text === 'stopped') return { kind: text };
  const reason = /^skip, (.+)$/.exec(text)?.[1];
  if (reason === undefined) throw new Error(`not understood: <!-- shell: ${text} -->`);
  return { kind: 'skip', reason };
}
