import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { Terminal } from '../../src/cli/terminal.ts';

const REELSTATE = fileURLToPath(new URL('../../src/cli/reelstate.js', import.meta.url));

/** Variables of the test machine that would change a command. */
const LEFT_OUT = new Set(['API_KEYS', 'REELSTATE_API_KEY', 'REELSTATE_URL']);

export interface Outcome {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Runs a command in this process, with everything but signals. One at a time, because it uses the environment of the
 * process.
 */
export async function reelstate(args: readonly string[], { environment, cwd }: RunOptions = {}): Promise<Outcome> {
  const before = { environment: { ...process.env }, cwd: process.cwd() };
  setEnvironment(environmentOf(environment));
  if (cwd !== undefined) process.chdir(cwd);
  try {
    const { signal } = new AbortController();
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const printed = Promise.all([text(stdout), text(stderr)]);
    const code = await runCommandLine(args, new Terminal({ stdout, stderr, signal }));
    stdout.end();
    stderr.end();
    const [toStdout, toStderr] = await printed;
    return { code, stdout: toStdout, stderr: toStderr };
  } finally {
    setEnvironment(before.environment);
    process.chdir(before.cwd);
  }
}

export interface SpawnOptions extends RunOptions {
  /** Receives a function that sends a signal to the process. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs a command in its own process, like a shell, to its end. */
export async function spawnReelstate(args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [REELSTATE, ...args], {
    env: environmentOf(options.environment),
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.onStart?.((signal) => child.kill(signal));
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, by] = await ended;
  return { code: code ?? by, stdout, stderr };
}

/** Changes the variables in place: native code does not see a `process.env` that was replaced. */
function setEnvironment(variables: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
  Object.assign(process.env, variables);
}

function environmentOf(added: RunOptions['environment']): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !LEFT_OUT.has(name));
  return { ...Object.fromEntries(inherited), ...added };
}
