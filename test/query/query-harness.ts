import { queryCommand } from '../../src/cli/query.ts';

/** Runs `reelstate query …` and resolves with its stdout. */
export async function ask(
  args: readonly string[],
  { signal = new AbortController().signal, onText = () => {} }: { signal?: AbortSignal; onText?: () => void } = {},
): Promise<string> {
  let printed = '';
  const terminal = {
    signal,
    write: async (text: string) => {
      signal.throwIfAborted();
      printed += text;
      onText();
    },
  };
  const command = queryCommand(terminal)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  await command.parseAsync(args, { from: 'user' });
  return printed;
}

/** Returns the rows as objects. */
export async function rowsOf(dataDir: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  return JSON.parse(await ask(['--data-dir', dataDir, '--format', 'json', sql]));
}
