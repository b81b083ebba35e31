import { fileURLToPath } from 'node:url';
import { pool, TerminateError } from 'workerpool';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { errorOfDeath, serviceErrorOf, type ChildDeath } from './child-death.ts';
import type { Isolation } from './isolation.ts';
import {
  failureSchema,
  replySchema,
  startReplySchema,
  type OpenRequest,
  type Reply,
  type StartRequest,
} from './protocol.ts';

/** What the child prints is kept to explain its death, no more of it than this. */
const OUTPUT_CHARACTERS = 4096;
/** JavaScript heap of the child's main thread, which holds results of some frames. */
const MAIN_HEAP_MIB = 128;

export interface ChildHandleOptions {
  readonly isolation: Isolation;
  readonly module: URL;
  readonly start: StartRequest;
  /** Milliseconds until a child that is not ready is killed. */
  readonly startTimeoutMs: number;
}

const outputSchema = z.object({ stdout: z.string().optional(), stderr: z.string().optional() });

/**
 * A child process, seen from the service: one call at a time. workerpool forks it, matches answers to calls and reports its
 * death as the rejection of a call; it is asked for nothing else, since it ends processes by a signal that can be ignored.
 */
export class ChildHandle {
  readonly #pool: ReturnType<typeof pool>;
  #output = '';
  #pid: number | undefined;
  #killed: Promise<void> | undefined;
  #call: Promise<unknown> = Promise.resolve();
  #death: ChildDeath | undefined;
  #jobs = 0;
  #notices: readonly string[] = [];

  private constructor(options: ChildHandleOptions) {
    const [execPath, ...execArgv] = options.isolation.command;
    this.#pool = pool(fileURLToPath(options.module), {
      workerType: 'process',
      maxWorkers: 1,
      // Only reached when the child is gone already.
      workerTerminateTimeout: 1,
      emitStdStreams: true,
      forkOpts: {
        execPath,
        execArgv: [...execArgv, `--max-old-space-size=${MAIN_HEAP_MIB}`],
        env: options.isolation.environment,
        serialization: 'advanced',
        detached: true,
      },
    });
  }

  /**
   * Forks a child and waits until its threads run and its models are loaded. One that fails to is killed; one that
   * takes too long rejects with `stalled`.
   */
  static async start(options: ChildHandleOptions): Promise<ChildHandle> {
    const child = new ChildHandle(options);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      void child.kill();
    }, options.startTimeoutMs);
    try {
      child.#pid = z
        .int()
        .min(1)
        .parse(await child.#ask('pid', []));
      child.#notices = startReplySchema.parse(await child.#ask('start', [options.start])).notices;
      return child;
    } catch (error) {
      await child.kill();
      if (!isLate) throw error;
      const waited = `${options.startTimeoutMs / 1000} seconds`;
      throw new ServiceError(
        'stalled',
        `a process to analyse videos was not ready within ${waited}: the machine is too busy, or its disk too slow`,
        { cause: error, retryable: true },
      );
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number {
    if (this.#pid === undefined) throw new Error('the child has not told its pid');
    return this.#pid;
  }

  /** What the child could not set for itself. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /** Jobs begun. */
  get jobs(): number {
    return this.#jobs;
  }

  /** How it ended; undefined while nothing is known of an end. */
  get death(): ChildDeath | undefined {
    return this.#death;
  }

  /** False once the process is gone, also when nobody was told. */
  isAlive(): boolean {
    try {
      return this.#death === undefined && process.kill(this.pid, 0);
    } catch {
      return false;
    }
  }

  /** Begins a job. */
  async open(request: OpenRequest): Promise<void> {
    this.#jobs += 1;
    await this.#askUnlessKilled('open', [request]);
  }

  /** The next results of the job, within about a second; acknowledges the last ones. */
  async next(): Promise<Reply> {
    return replySchema.parse(await this.#askUnlessKilled('next', []));
  }

  /** Ends the process group, whatever it does, and resolves when the child is gone. */
  async kill(): Promise<void> {
    this.#killed ??= this.#kill();
    await this.#killed;
  }

  async #kill(): Promise<void> {
    if (this.#pid === undefined) {
      await Promise.resolve(this.#pool.terminate(true)).catch(() => {});
      return;
    }
    try {
      process.kill(-this.#pid, 'SIGKILL');
    } catch {
      // The group is gone already.
    }
    await this.#call;
    // The end is only told to a caller, and this call is never answered.
    if (this.#death === undefined) await this.#ask('linger', []).catch(() => {});
  }

  /** workerpool would fork another process for whoever asks one that has ended, and nobody would know of it. */
  async #askUnlessKilled(method: string, params: unknown[]): Promise<unknown> {
    // No wait otherwise: a kill must find this call in flight, or two would be, and the second one is never answered.
    if (this.#killed !== undefined) await this.#killed;
    if (this.#death !== undefined) throw errorOfDeath(this.#death, false);
    return this.#ask(method, params);
  }

  async #ask(method: string, params: unknown[]): Promise<unknown> {
    const answer = Promise.resolve(this.#pool.exec(method, params, { on: (output) => this.#keep(output) }));
    this.#call = answer.catch((error: unknown) => {
      if (error instanceof TerminateError) this.#death = deathOf(error, this.#output);
    });
    try {
      return await answer;
    } catch (error) {
      await this.#call;
      if (this.#death !== undefined) throw errorOfDeath(this.#death, false);
      const failure = failureSchema.safeParse(error);
      if (!failure.success) throw serviceErrorOf(error);
      const { code, message, retryable } = failure.data;
      throw new ServiceError(code, message, { retryable, cause: error });
    }
  }

  #keep(output: unknown): void {
    const { stdout = '', stderr = '' } = outputSchema.parse(output);
    this.#output = (this.#output + stdout + stderr).slice(-OUTPUT_CHARACTERS);
  }
}

/** workerpool tells signal and exit code in its message only. */
function deathOf(error: Error, output: string): ChildDeath {
  const signal = /signalCode: `(SIG\w+)`/.exec(error.message)?.[1] ?? null;
  const exitCode = /exitCode: `(\d+)`/.exec(error.message)?.[1];
  return { signal, exitCode: exitCode === undefined ? null : Number(exitCode), output };
}
