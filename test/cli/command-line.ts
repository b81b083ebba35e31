import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const REELSTATE = fileURLToPath(new URL('../../src/cli/reelstate.js', import.meta.url));

export interface Outcome {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Gets what sends a signal to the process. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the command line as a shell would, to its end. */
export async function reelstate(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { API_KEYS: _, REELSTATE_URL: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [REELSTATE, ...args], {
    env: { ...inherited, ...options.environment },
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  options.onStart?.((signal) => child.kill(signal));
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, by] = await ended;
  return { code: code ?? by, stdout, stderr };
}
