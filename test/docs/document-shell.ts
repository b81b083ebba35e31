import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeVideo } from '../../tools/make-video.ts';
import { projectRoot } from '../tools/sample-project.ts';
import type { ShellBlock } from '../../tools/documents/shell-blocks.ts';

const run = promisify(execFile);

/** The address in documents: that of a service without settings. */
const DOCUMENTED_URL = 'http://127.0.0.1:8000';
const READY = /Reelstate ready at (http:\/\/\S+)/;
/** Files outside git that a clone has too. */
const KEPT = ['.build', 'node_modules', 'video.mp4'];
const LEFT_OUT = new Set(['.git', '.build', 'coverage', 'data', 'dist', 'node_modules', '.stryker-tmp', 'reports']);

/**
 * The environment of a reader: a clone of the project with a `video.mp4`, a shell that keeps its variables between
 * blocks, and at most one service on a free port. Documents are run in it one after another.
 */
export class DocumentShell implements AsyncDisposable {
  readonly #folder: string;
  readonly #root: string;
  #service: ChildProcess | undefined;
  /** The commands that started the service. */
  #serviceCommands = '';
  #url = DOCUMENTED_URL;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#root = path.join(folder, 'reelstate');
  }

  static async open(): Promise<DocumentShell> {
    const shell = new DocumentShell(await mkdtemp(path.join(os.tmpdir(), 'documents-')));
    const root = shell.#root;
    const isKept = (source: string): boolean => !LEFT_OUT.has(path.relative(projectRoot, source));
    await cp(projectRoot, root, { recursive: true, filter: isKept });
    await symlink(path.join(projectRoot, 'node_modules'), path.join(root, 'node_modules'));
    // The compiled program under the hash of its sources, which the copy has too.
    const build = await realpath(path.join(projectRoot, 'dist'));
    await cp(build, path.join(root, '.build', path.basename(build)), { recursive: true });
    await shell.#git('init', '--quiet');
    await shell.#git('add', '--all');
    await shell.#git(
      '-c',
      'user.name=Reader',
      '-c',
      'user.email=reader@example.org',
      'commit',
      '--quiet',
      '-m',
      'Clone',
    );
    const captions = [{ text: 'MIND THE GAP', size: 48, box: 'black' }];
    makeVideo({
      path: path.join(root, 'video.mp4'),
      width: 640,
      height: 360,
      frames: 20,
      picture: 'color=c=navy',
      captions,
    });
    return shell;
  }

  /**
   * Resets the shell. A document that begins with a service may reuse the running one; any other gets a clean clone.
   */
  async beginDocument(first: ShellBlock): Promise<void> {
    await rm(this.#variables, { force: true });
    await this.#git('checkout', '--quiet', '--force', 'HEAD');
    if (first.direction.kind === 'service' && this.#runs(first.commands)) return;
    await this.#stop();
    await this.#git('clean', '--quiet', '--force', '-d', '-x', ...KEPT.map((name) => `--exclude=/${name}`));
  }

  /** Runs the block. Rejects if a command fails or prints something else than documented. */
  async run({ commands, direction, prints }: ShellBlock, signal: AbortSignal): Promise<void> {
    if (direction.kind === 'skip') return;
    if (direction.kind === 'service' && this.#runs(commands)) return;
    if (direction.kind !== 'run') await this.#stop();
    if (direction.kind === 'service') return this.#serve(commands, signal);
    const { code, output } = await this.#execute(commands, signal);
    if (code !== 0) throw new Error(`ended with ${code}:\n${commands}\n${output}`);
    if (prints !== undefined && !matches(output, prints)) throw new Error(`printed:\n${output}\nnot:\n${prints}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #variables(): string {
    return path.join(this.#folder, 'variables');
  }

  #runs(commands: string): boolean {
    return this.#service?.exitCode === null && this.#serviceCommands === commands;
  }

  async #git(...args: readonly string[]): Promise<void> {
    await run('git', args, { cwd: this.#root });
  }

  async #execute(commands: string, signal: AbortSignal) {
    const child = this.#spawn(commands, signal);
    let output = '';
    for (const printed of [child.stdout, child.stderr]) printed?.on('data', (chunk) => (output += String(chunk)));
    const [code, by] = await once(child, 'close');
    return { code: code ?? by, output };
  }

  async #serve(commands: string, signal: AbortSignal): Promise<void> {
    const child = this.#spawn(commands, signal, true);
    this.#service = child;
    this.#serviceCommands = commands;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      for (const printed of [child.stdout, child.stderr]) {
        printed?.on('data', (chunk) => {
          output = (output + String(chunk)).slice(-10_000);
          const url = READY.exec(output)?.[1];
          if (url === undefined) return;
          this.#url = url;
          resolve();
        });
      }
      child.once('close', () => reject(new Error(`the service ended:\n${commands}\n${output}`)));
      child.once('error', reject);
    });
  }

  /** The signal goes to the whole group: npm, its shell and the service, like Ctrl-C. */
  async #stop(): Promise<void> {
    const service = this.#service;
    this.#service = undefined;
    this.#url = DOCUMENTED_URL;
    if (service?.pid === undefined || service.exitCode !== null) return;
    const closed = once(service, 'close');
    process.kill(-service.pid, 'SIGINT');
    await closed;
  }

  #spawn(commands: string, signal: AbortSignal, isService = false): ChildProcess {
    const state = this.#variables;
    const script = [
      'set -eu',
      `if [ -f '${state}' ]; then . '${state}'; fi`,
      // The services of the documents must not meet those of the machine; one thread loads its models sooner.
      `export PORT=0 HOST=127.0.0.1 LOG_LEVEL=warn PIPELINE_THREADS=1 REELSTATE_URL=${this.#url}`,
      'set -a',
      commands.replaceAll(DOCUMENTED_URL, this.#url),
      // A service ends long after later blocks have set variables, which must not be overwritten.
      ...(isService ? [] : [`export -p > '${state}'`]),
    ].join('\n');
    const child = spawn('bash', ['-c', script], {
      cwd: this.#root,
      // A separate group, so that all processes of a command can be ended.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid } = child;
    if (pid === undefined) return child;
    const kill = (): void => void process.kill(-pid, 'SIGKILL');
    signal.addEventListener('abort', kill);
    child.once('close', () => signal.removeEventListener('abort', kill));
    return child;
  }
}

/**
 * Returns true if the text has every documented piece in order, from start to end. Amounts of white space are ignored.
 */
function matches(text: string, documented: string): boolean {
  const flat = (some: string): string => some.trim().replaceAll(/\s+/g, ' ');
  const pieces = documented.split('…').map((piece) => flat(piece).replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(`^${pieces.join('.*')}$`).test(flat(text));
}
