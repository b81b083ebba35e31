import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What keeps a hostile video from doing harm, beside being refused:
 *
 * - `process`: decoding and inference happen in a child process, in a process group of its own that is killed whole;
 * - `environment`: the child has no variable of the service's environment but a few harmless ones;
 * - `priority`: the child's threads are niced;
 * - `memory`: the kernel refuses the child more memory than is allowed (and any core dump);
 * - `memory-watch`: a child with more memory than is allowed is killed, found by polling;
 * - `network`: the child has a network namespace without a network;
 * - `privileges`: the child gains no privileges by running programs, and the kernel kills it when the service dies.
 */
export type IsolationLevel =
  | 'process'
  | 'environment'
  | 'priority'
  | 'memory'
  | 'memory-watch'
  | 'network'
  | 'privileges';

/** How a child is to be started. */
export interface Isolation {
  /** What is active, for people. */
  readonly levels: readonly IsolationLevel[];
  /** The program to execute: Node.js, or the first of those that put a fence up and then become the next. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface IsolationOptions {
  /** The child's limit, see `CHILD_MEMORY_BYTES`. */
  readonly memoryBytes: number;
  /** The service's environment, of which the child gets what it cannot do without. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What programs and shared libraries need to be found, and the names of languages and folders. No secrets in these. */
const ALLOWED_VARIABLES = [
  'PATH',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'SystemRoot',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LANG',
  'LC_ALL',
  'TZ',
];

const PROBE_TIMEOUT_MS = 10_000;

/**
 * Finds out which fences this machine lets an ordinary process put up: each is tried, on Node.js itself, and those that
 * work are put before one another. They become the child by exec, so its pid and its channel to the service are kept.
 */
export async function detectIsolation(options: IsolationOptions): Promise<Isolation> {
  const environment = allowed(options.environment);
  const firstThatWorks = async (...fences: readonly Fence[]): Promise<readonly string[]> => {
    for (const fence of fences) if (await works(fence, environment)) return fence;
    return [];
  };
  // `--data`, never `--as`: Node.js reserves far more address space than it uses.
  const memory = await firstThatWorks(['prlimit', `--data=${options.memoryBytes}`, '--core=0', '--']);
  const network = await firstThatWorks(['unshare', '--net', '--'], ['unshare', '--map-root-user', '--net', '--']);
  // Comes after the namespaces: a process that enters one forgets the signal.
  const privileges = await firstThatWorks(['setpriv', '--no-new-privs', '--pdeathsig', 'KILL', '--']);
  const levels: IsolationLevel[] = ['process', 'environment', 'priority'];
  if (memory.length > 0) levels.push('memory');
  if (existsSync('/proc/self/status')) levels.push('memory-watch');
  if (network.length > 0) levels.push('network');
  if (privileges.length > 0) levels.push('privileges');
  const command = [...memory, ...network, ...privileges, process.execPath];
  return { levels, command, environment };
}

type Fence = readonly [program: string, ...args: string[]];

async function works([program, ...args]: Fence, env: Isolation['environment']): Promise<boolean> {
  try {
    await run(program, [...args, process.execPath, '--eval', '0'], { env, timeout: PROBE_TIMEOUT_MS });
    return true;
  } catch {
    // Not installed, or not permitted.
    return false;
  }
}

function allowed(environment: IsolationOptions['environment']): Record<string, string> {
  const result: Record<string, string> = {
    // Two arenas serve the few threads; one for each would keep freed frames in all of them.
    MALLOC_ARENA_MAX: '2',
    // From 1.29 on onnxruntime tells its maker about every session, by way of a database in the user's cache folder.
    ORT_DISABLE_TELEMETRY: '1',
  };
  for (const name of ALLOWED_VARIABLES) {
    const value = environment[name];
    if (value !== undefined) result[name] = value;
  }
  return result;
}
