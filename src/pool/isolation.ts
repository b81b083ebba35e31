import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { mappedMemoryOf } from './process-status.ts';
import { isProtected } from './self-protection.ts';
import { sandboxArguments, type SandboxLayers } from './sandbox/sandbox.ts';

const run = promisify(execFile);

/**
 * Layers that keep a hostile video from doing harm:
 * - `process`: decoding and inference happen in a child process with its own process group, which is killed as a
 *   whole;
 * - `environment`: the child has only a few harmless environment variables;
 * - `priority`: the child's threads are niced;
 * - `memory`: the kernel refuses memory far beyond the limit, and core dumps;
 * - `memory-watch`: a child beyond its memory limit is killed, found by polling;
 * - `network`: the child has a network namespace without a network;
 * - `privileges`: the child gains no privileges by running programs, and the kernel kills it when the service dies;
 * - `capabilities`: the child has no capabilities and cannot gain any, also as root;
 * - `files`: the child reads its own video and the program, writes nothing, and reaches no other process (Landlock);
 * - `system-calls`: the kernel denies the child sockets, namespaces, mounts, tracing, writing and new processes
 *   (seccomp);
 * - `untraceable`: no process of the same user can read the memory and keys of the service.
 */
export type IsolationLevel =
  | 'process'
  | 'environment'
  | 'priority'
  | 'memory'
  | 'memory-watch'
  | 'network'
  | 'privileges'
  | 'capabilities'
  | 'files'
  | 'system-calls'
  | 'untraceable';

/** How to start a child. */
export interface Isolation {
  /** Names of the active layers. */
  readonly levels: readonly IsolationLevel[];
  /**
   * The program to execute: Node.js, or the first of the wrappers that restrict themselves and then execute the next.
   */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly sandbox: SandboxLayers;
}

export interface IsolationOptions {
  /** The service's environment, from which the child gets what it needs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Variables needed to find programs and shared libraries, and locales and folders. They contain no secrets. */
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

/** A layer must not be lost because Node.js starts slowly on a busy machine. */
const PROBE_TIMEOUT_MS = 120_000;
/** A limit that every Node.js fits into, to test whether limits can be set. */
const PROBED_BYTES = 64 * 1024 ** 3;

const NO_SANDBOX: SandboxLayers = { files: false, systemCalls: false };
const STAY_UNPRIVILEGED = ['--no-new-privs', '--pdeathsig', 'KILL', '--'];
const DROP_CAPABILITIES = ['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all'];

/**
 * Determines which restrictions this machine allows an ordinary process. Each wrapper is probed with Node.js; those
 * that work are chained and `exec` the next, so that pid and IPC channel survive.
 */
export async function detectIsolation(options: IsolationOptions): Promise<Isolation> {
  const environment = allowed(options.environment);
  const firstThatWorks = async (before: readonly string[], fences: readonly Fence[]): Promise<readonly string[]> => {
    for (const fence of fences) {
      if ((await statusBehind([...before, ...fence], environment)) !== undefined) return fence;
    }
    return [];
  };
  const sandboxWorks = async (layers: SandboxLayers): Promise<boolean> => {
    const args = sandboxArguments({ layers, environment, paths: [] });
    return (await statusBehind([process.execPath, ...args], environment)) !== undefined;
  };
  const [memory, network, files, systemCalls] = await Promise.all([
    firstThatWorks([], [['prlimit', `--data=${PROBED_BYTES}`, '--core=0', '--']]),
    firstThatWorks(
      [],
      [
        ['unshare', '--net', '--'],
        ['unshare', '--map-root-user', '--net', '--'],
      ],
    ),
    sandboxWorks({ files: true, systemCalls: false }),
    sandboxWorks({ files: false, systemCalls: true }),
  ]);
  // After the namespaces, because entering one clears the signal. Only root has capabilities to drop.
  const privileges = await firstThatWorks(network, [
    ['setpriv', ...DROP_CAPABILITIES, ...STAY_UNPRIVILEGED],
    ['setpriv', ...STAY_UNPRIVILEGED],
  ]);
  const status = privileges.length > 0 ? await statusBehind([...network, ...privileges], environment) : undefined;
  const levels: IsolationLevel[] = ['process', 'environment', 'priority'];
  if (memory.length > 0) levels.push('memory');
  if (existsSync('/proc/self/status')) levels.push('memory-watch');
  if (network.length > 0) levels.push('network');
  if (privileges.length > 0) levels.push('privileges');
  if (status !== undefined && hasNoCapabilities(status)) levels.push('capabilities');
  if (files) levels.push('files');
  if (systemCalls) levels.push('system-calls');
  if (await isProtected()) levels.push('untraceable');
  // The limit is set later, when the mapped memory of the runtime is known; see `limitMappedMemory`.
  const noCoreDump = memory.length > 0 ? ['prlimit', '--core=0', '--'] : [];
  const command = [...noCoreDump, ...network, ...privileges, process.execPath];
  return { levels, command, environment, sandbox: { files, systemCalls } };
}

/** Returns the same without layers that may prevent a child from reading its program in an unusual place. */
export function withoutSandbox(isolation: Isolation): Isolation {
  const dropped: ReadonlySet<string> = new Set(DROP_CAPABILITIES);
  const lost: ReadonlySet<IsolationLevel> = new Set(['capabilities', 'files', 'system-calls']);
  return {
    ...isolation,
    levels: isolation.levels.filter((level) => !lost.has(level)),
    command: isolation.command.filter((word) => !dropped.has(word)),
    sandbox: NO_SANDBOX,
  };
}

/**
 * Sets the kernel's limit of a process's private memory to what it has mapped and `moreBytes`. The kernel counts
 * mapped, not used memory, and Node.js 24 maps 510 MiB per thread that it never uses.
 */
export async function limitMappedMemory(pid: number, moreBytes: number): Promise<void> {
  // `--data`, never `--as`, because Node.js reserves far more address space than it uses.
  await run('prlimit', [`--pid=${pid}`, `--data=${mappedMemoryOf(pid) + moreBytes}`], { timeout: PROBE_TIMEOUT_MS });
}

type Fence = readonly [program: string, ...args: string[]];

/**
 * Returns what the kernel reports of Node.js behind a wrapper; undefined if the wrapper is not installed or not
 * permitted.
 */
async function statusBehind(fence: readonly string[], env: Isolation['environment']): Promise<string | undefined> {
  const [program = '', ...args] = fence;
  const read = 'fs.existsSync("/proc/self/status") && fs.readFileSync("/proc/self/status", "latin1")';
  try {
    const { stdout } = await run(program, [...args, process.execPath, '--print', read], {
      env,
      timeout: PROBE_TIMEOUT_MS,
    });
    return stdout;
  } catch {
    return undefined;
  }
}

/** Without inheritable or ambient capabilities, and unable to gain new ones. */
function hasNoCapabilities(status: string): boolean {
  const inHand = [...status.matchAll(/^Cap(?:Inh|Prm|Eff|Amb):\s+(\w+)$/gm)].map((line) => line[1]);
  return inHand.length > 0 && inHand.every((set) => /^0+$/.test(set ?? '')) && /^NoNewPrivs:\s+1$/m.test(status);
}

function allowed(environment: IsolationOptions['environment']): Record<string, string> {
  const result: Record<string, string> = {
    // Two arenas serve the few threads; one per thread would keep freed frames in all of them.
    MALLOC_ARENA_MAX: '2',
    // Frames and tensors are mapped individually and unmapped when freed. By default the C library raises this
    // threshold, and a child would keep the memory of its largest job. Saves 25 MB per thread.
    MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
    // From 1.29 on, onnxruntime reports every session to its vendor through a database in the user's cache folder.
    ORT_DISABLE_TELEMETRY: '1',
  };
  for (const name of ALLOWED_VARIABLES) {
    const value = environment[name];
    if (value !== undefined) result[name] = value;
  }
  return result;
}
