import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { mappedMemoryOf } from './process-status.ts';

const run = promisify(execFile);

/**
 * What keeps a hostile video from doing harm, beside being refused:
 *
 * - `process`: decoding and inference happen in a child process, in a process group of its own that is killed whole;
 * - `environment`: the child has no variable of the service's environment but a few harmless ones;
 * - `priority`: the child's threads are niced;
 * - `memory`: the kernel refuses the child memory far beyond what is allowed (and any core dump);
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

/** A busy machine must not lose a fence because Node.js starts slowly. */
const PROBE_TIMEOUT_MS = 120_000;
/** A limit that every Node.js fits in, to find out whether limits can be set. */
const PROBED_BYTES = 64 * 1024 ** 3;

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
  const memory = await firstThatWorks(['prlimit', `--data=${PROBED_BYTES}`, '--core=0', '--']);
  const network = await firstThatWorks(['unshare', '--net', '--'], ['unshare', '--map-root-user', '--net', '--']);
  // Comes after the namespaces: a process that enters one forgets the signal.
  const privileges = await firstThatWorks(['setpriv', '--no-new-privs', '--pdeathsig', 'KILL', '--']);
  const levels: IsolationLevel[] = ['process', 'environment', 'priority'];
  if (memory.length > 0) levels.push('memory');
  if (existsSync('/proc/self/status')) levels.push('memory-watch');
  if (network.length > 0) levels.push('network');
  if (privileges.length > 0) levels.push('privileges');
  // The limit itself is set when it is known what the runtime maps, see `limitMappedMemory`.
  const noCoreDump = memory.length > 0 ? ['prlimit', '--core=0', '--'] : [];
  const command = [...noCoreDump, ...network, ...privileges, process.execPath];
  return { levels, command, environment };
}

/**
 * Has the kernel refuse a process more private memory than it has mapped now and `moreBytes` beyond. The kernel counts what
 * is mapped, not what is used, and Node.js 24 maps 510 MiB for each thread that it never touches.
 */
export async function limitMappedMemory(pid: number, moreBytes: number): Promise<void> {
  // `--data`, never `--as`: Node.js reserves far more address space than it uses.
  await run('prlimit', [`--pid=${pid}`, `--data=${mappedMemoryOf(pid) + moreBytes}`], { timeout: PROBE_TIMEOUT_MS });
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
    // Frames and tensors are mapped one by one and given back when freed; left to itself the C library raises this
    // threshold, and a child keeps what its largest job needed. Saves 25 MB for each thread.
    MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
    // From 1.29 on onnxruntime tells its maker about every session, by way of a database in the user's cache folder.
    ORT_DISABLE_TELEMETRY: '1',
  };
  for (const name of ALLOWED_VARIABLES) {
    const value = environment[name];
    if (value !== undefined) result[name] = value;
  }
  return result;
}
