import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import {
  crashError,
  errorOfDeathAtStart,
  errorOfFailedStart,
  errorOfRefusedFork,
  errorOfStalledStart,
  type ChildDeath,
} from './child-errors.ts';
import type { Isolation } from './isolation.ts';
import { lowerPriority } from './priority.ts';
import {
  answerSchema,
  lookReplySchema,
  replySchema,
  startReplySchema,
  type LookReply,
  type LookRequest,
  type OpenRequest,
  type Question,
  type Reply,
  type StartRequest,
  type WarmRequest,
} from './protocol.ts';
import { usedMemoryOf } from './process-status.ts';
import { sandboxArguments } from './sandbox/sandbox.ts';
import type { VideoFolder } from './sandbox/video-folder.ts';
import { StartWatch } from './start-watch.ts';

/** Maximum length of the child's output that is kept to explain its death. */
const OUTPUT_CHARACTERS = 4096;
/** JavaScript heap of the child's main thread, which holds the results of some frames. */
const MAIN_HEAP_MIB = 128;
/** Milliseconds after the end of a child in which its last output is read. */
const LAST_OUTPUT_MS = 1000;

export interface ChildHandleOptions {
  readonly isolation: Isolation;
  readonly module: URL;
  /** Gives the child access to one video at a time and is removed with it. */
  readonly videos?: VideoFolder;
  /** Without `videos`: the files that the child can read; absent: every file. */
  readonly readableFiles?: readonly string[];
  readonly start: StartRequest;
  readonly warm: WarmRequest;
  /** Called when only the child's threads run, to limit what it may map from now on. */
  readonly limitMemory?: (pid: number) => Promise<void>;
  /** Milliseconds without progress after which a starting child is killed. */
  readonly startIdleMs: number;
  readonly log: Log;
  /** Aborting it ends the start and the child. */
  readonly signal?: AbortSignal;
}

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A child process as the service sees it. One request at a time. */
export class ChildHandle {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #videos: VideoFolder | undefined;
  /** Resolves when the process has ended and its output is read. */
  readonly #gone: Promise<void>;
  #output = '';
  #death: ChildDeath | undefined;
  #waiter: Waiter | undefined;
  #hasExited = false;
  #isKilled = false;
  #jobs = 0;
  #notices: readonly string[] = [];
  #warmBytes = 0;
  #ffmpeg = '';

  private constructor(child: ChildProcess, pid: number, videos: VideoFolder | undefined) {
    this.pid = pid;
    this.#videos = videos;
    this.#process = child;
    child.on('message', (message) => this.#hear(message));
    // Sending to an ended process fails; its end is handled below.
    child.on('error', () => {});
    // A process that can no longer respond is useless.
    child.on('disconnect', () => this.#killGroup());
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output = (this.#output + String(bytes)).slice(-OUTPUT_CHARACTERS);
      });
    }
    this.#gone = this.#untilGone(child);
  }

  /**
   * Forks a child and waits while it makes progress until its threads run and its models are loaded. Rejects and leaves
   * no process: with `child_unavailable` (retryable if another start may succeed) or with the child's error about a
   * model or pipeline.
   */
  static async start(options: ChildHandleOptions): Promise<ChildHandle> {
    const { signal, log, startIdleMs: idleMs } = options;
    signal?.throwIfAborted();
    const child = await ChildHandle.#fork(options);
    let reason: unknown;
    const endStart = (why: unknown): void => {
      reason ??= why;
      void child.kill();
    };
    const onAbort = () => endStart(signal?.reason);
    using _watch = new StartWatch({
      pid: child.pid,
      idleMs,
      log,
      onStall: () => endStart(errorOfStalledStart(idleMs)),
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await child.#nextAnswer();
      const { ffmpeg } = startReplySchema.parse(await child.#ask({ kind: 'start', request: options.start }));
      child.#ffmpeg = ffmpeg;
      await options.limitMemory?.(child.pid);
      await child.#ask({ kind: 'warm', request: options.warm });
      // Set afterwards, because on a busy machine a child of low priority would hardly load its models.
      child.#notices = await lowerPriority(child.pid);
      child.#warmBytes = usedMemoryOf(child.pid);
      return child;
    } catch (error) {
      const { death } = child;
      await child.kill();
      if (reason !== undefined) throw reason;
      throw death === undefined ? errorOfFailedStart(error) : errorOfDeathAtStart(death);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  static async #fork({ isolation, module, videos, start, readableFiles }: ChildHandleOptions): Promise<ChildHandle> {
    const { sandbox: layers, environment } = isolation;
    const input = videos === undefined ? (readableFiles ?? ['/']) : [videos.path];
    const paths = start.modelsFolder === undefined ? input : [...input, start.modelsFolder];
    const sandbox = sandboxArguments({ layers, environment, paths });
    const [execPath, ...execArgv] = [
      ...isolation.command,
      ...sandbox,
      ...(sandbox.length > 0 ? [process.execPath] : []),
    ];
    let child: ChildProcess;
    try {
      child = fork(fileURLToPath(module), [], {
        execPath,
        execArgv: [...execArgv, `--max-old-space-size=${MAIN_HEAP_MIB}`],
        env: environment,
        serialization: 'advanced',
        // A separate process group, which can be killed as a whole.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
    } catch (error) {
      throw errorOfRefusedFork(error);
    }
    if (child.pid !== undefined) return new ChildHandle(child, child.pid, videos);
    const [error] = await once(child, 'error');
    throw errorOfRefusedFork(error);
  }

  /** Restrictions that could not be set. The child works without them. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /** Version of its FFmpeg. */
  get ffmpeg(): string {
    return this.#ffmpeg;
  }

  /** Memory when it was ready, in bytes; 0: unknown. */
  get warmBytes(): number {
    return this.#warmBytes;
  }

  /** Number of started jobs. */
  get jobs(): number {
    return this.#jobs;
  }

  /** How it ended; undefined until its end and its last output are known. */
  get death(): ChildDeath | undefined {
    return this.#death;
  }

  isAlive(): boolean {
    return !this.#hasExited && !this.#isKilled;
  }

  /** Starts a job. */
  async open(request: OpenRequest): Promise<void> {
    this.#jobs += 1;
    const filePath = (await this.#videos?.show(request.filePath)) ?? request.filePath;
    await this.#ask({ kind: 'open', request: { ...request, filePath } });
  }

  /** Returns the next results of the job, within about a second. Acknowledges the previous ones. */
  async next(): Promise<Reply> {
    return replySchema.parse(await this.#ask({ kind: 'next' }));
  }

  /** Removes the child's access to the video of the last job. */
  async clear(): Promise<void> {
    await this.#videos?.clear();
  }

  /** Starts to create pictures. */
  async look(request: LookRequest): Promise<void> {
    this.#jobs += 1;
    const filePath = (await this.#videos?.show(request.filePath)) ?? request.filePath;
    await this.#ask({ kind: 'look', request: { ...request, filePath } });
  }

  /** Returns the next pictures, within about a second. */
  async nextPictures(): Promise<LookReply> {
    return lookReplySchema.parse(await this.#ask({ kind: 'nextPictures' }));
  }

  /** Kills the process group with SIGKILL. Resolves when the child has ended. */
  async kill(): Promise<void> {
    this.#killGroup();
    await this.#gone;
  }

  #killGroup(): void {
    if (this.#hasExited) return;
    this.#isKilled = true;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // The group is empty.
    }
  }

  async #untilGone(child: ChildProcess): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      // Kills the processes that it started. One that left the group could still hold the pipes open.
      this.#killGroup();
      this.#hasExited = true;
      timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        if (child.connected) child.disconnect();
      }, LAST_OUTPUT_MS);
    });
    return new Promise((resolve) => {
      child.once('close', (exitCode, signal) => {
        clearTimeout(timer);
        this.#death = { exitCode, signal, output: this.#output };
        this.#waiter?.reject(crashError(this.#death, false));
        this.#waiter = undefined;
        resolve(this.#videos?.remove());
      });
    });
  }

  async #ask(question: Question): Promise<unknown> {
    if (this.#waiter !== undefined) throw new ServiceError('internal', 'a child got two requests at once');
    if (!this.isAlive()) await this.#gone;
    if (this.#death !== undefined) throw crashError(this.#death, false);
    const answer = this.#nextAnswer();
    // A request that cannot be sent is answered by the end of the process.
    this.#process.send(question, () => {});
    return answer;
  }

  /** Returns the next message of the child. */
  async #nextAnswer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  #hear(message: unknown): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    const said = answerSchema.safeParse(message);
    if (!said.success) {
      waiter?.reject(
        new ServiceError('decoder_crashed', 'the child process sent an unexpected response', { retryable: true }),
      );
    } else if (said.data.kind === 'failure') {
      const { code, message: text, retryable } = said.data.failure;
      waiter?.reject(new ServiceError(code, text, { retryable }));
    } else {
      waiter?.resolve(said.data.kind === 'answer' ? said.data.value : undefined);
    }
  }
}
