import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** System calls with a path, and those that access other machines and programs. */
const CALLS = 'file,connect,execve,execveat';

/** What a child may open in addition to its video: its program, and what the kernel reports about it and the machine. */
const OWN_CODE = [/\/node_modules\//, /\/src\/pipeline\/models\//, /^\/(usr\/)?lib\d*\//, /\/(src|dist)\/.*\.js$/];
const OF_THE_SYSTEM = [/^\/proc\/(self|\d+|meminfo|cpuinfo|stat)/, /^\/sys\//, /^\/dev\/(u?random|null)$/];
/** Of its video, and of modules that are loaded later. They open nothing. */
const LOOKS = /^(l?stat|fstatat|newfstatat|statx|access|faccessat2?|readlink(at)?|getcwd)$/;
const VIDEO = /^\/child-\w+\/video\.mp4$/;

export interface CheckedTrace {
  readonly count: number;
  /** By system call and path, such as `openat /data/video.mp4`. */
  readonly calls: ReadonlyMap<string, number>;
  /** Calls that no job needs; empty if there are none. */
  readonly findings: readonly string[];
}

/** Records the system calls of processes and all of their threads with strace. */
export class FileTrace {
  readonly #strace: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #path: string;

  private constructor(strace: ChildProcess, ended: Promise<unknown>, path: string) {
    this.#strace = strace;
    this.#ended = ended;
    this.#path = path;
  }

  /** Resolves when the processes are traced; with undefined if there is no strace, or no permission. */
  static async start(pids: readonly number[], path: string): Promise<FileTrace | undefined> {
    const args = ['-f', '-s', '4096', '-e', `trace=${CALLS}`, '-o', path];
    const strace = spawn('strace', [...args, ...pids.map((pid) => `--attach=${pid}`)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(strace, 'close');
    ended.catch(() => undefined);
    const begun = await new Promise<boolean>((resolve) => {
      strace.once('error', () => resolve(false));
      strace.once('close', () => resolve(false));
      let attached = 0;
      createInterface({ input: strace.stderr }).on('line', (line) => {
        if (line.includes(' attached')) attached += 1;
        if (attached === pids.length) resolve(true);
      });
    });
    return begun ? new FileTrace(strace, ended, path) : undefined;
  }

  async stop(): Promise<void> {
    this.#strace.kill('SIGINT');
    await this.#ended;
  }

  /**
   * Reads the recorded calls after {@link stop}.
   * @param linksFolder with a folder for each child
   */
  async check(linksFolder: string): Promise<CheckedTrace> {
    const calls = new Map<string, number>();
    let count = 0;
    for await (const line of createInterface({ input: createReadStream(this.#path, 'utf8') })) {
      const call = callOf(line);
      if (call === undefined) continue;
      count += 1;
      calls.set(call, (calls.get(call) ?? 0) + 1);
    }
    const findings = [...calls.keys()].filter((call) => !isAllowed(call, linksFolder));
    if (![...calls.keys()].some((call) => isVideo(pathOf(call), linksFolder))) findings.push('no video was opened');
    return { count, calls, findings };
  }
}

function isAllowed(call: string, linksFolder: string): boolean {
  const [name = ''] = call.split(' ');
  const path = pathOf(call);
  if (LOOKS.test(name) && path === '') return true; // of an open file
  if (!name.startsWith('open') && !LOOKS.test(name)) return false;
  return isVideo(path, linksFolder) || [...OWN_CODE, ...OF_THE_SYSTEM].some((pattern) => pattern.test(path));
}

function isVideo(path: string, linksFolder: string): boolean {
  return path.startsWith(linksFolder) && VIDEO.test(path.slice(linksFolder.length));
}

function pathOf(call: string): string {
  return call.slice(call.indexOf(' ') + 1);
}

/** Returns `14162 openat(AT_FDCWD, "/data/1.mp4", O_RDONLY) = 3` as `openat /data/1.mp4`; undefined for other lines. */
function callOf(line: string): string | undefined {
  const call = /^\d+ +(\w+)\((.*)/.exec(line);
  const [, name = '', rest = ''] = call ?? [];
  if (call === null) return undefined;
  return `${name} ${/"((?:[^"\\]|\\.)*)"/.exec(rest)?.[1] ?? rest}`;
}
