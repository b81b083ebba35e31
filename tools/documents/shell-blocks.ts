/** A block of shell commands in a document. */
export interface ShellBlock {
  /** Of its first command, from 1. */
  readonly line: number;
  readonly commands: string;
  /** What it prints, from the block of text or JSON that follows at once; `…` stands for anything. */
  readonly prints: string | undefined;
  /** What stands before the block, out of sight: `<!-- shell: … -->`. */
  readonly direction: Direction;
}

/**
 * - `run`: nothing stands there; the commands are run to their end, with a service that runs if the document began one;
 * - `service`: the command begins a service, which goes on to run;
 * - `stopped`: the service is stopped before the commands are run;
 * - `skip`: not run, for a reason.
 */
export type Direction =
  | { readonly kind: 'run' | 'service' | 'stopped' }
  | { readonly kind: 'skip'; readonly reason: string };

const BLOCK = /(?:^<!-- shell: (.+) -->\n)?^```sh\n([\s\S]*?)^```$(?:\n\n?^```(?:text|json)\n([\s\S]*?)^```$)?/gm;
const SHELL_FENCE = /^```(?:sh|bash|shell|console)$/gm;

/** @throws when a block is of another kind, so that it would not be found, or its direction is not understood */
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
