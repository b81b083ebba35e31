import { messageOf, ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { ChildHandle } from './child-handle.ts';
import { limitMappedMemory, withoutSandbox, type Isolation, type IsolationLevel } from './isolation.ts';
import { mappedBytesFor } from './memory-plan.ts';
import type { VideoFolder } from './sandbox/video-folder.ts';
import { WorkFolder } from './sandbox/work-folder.ts';

export interface ChildStarterOptions {
  readonly isolation: Isolation;
  /** Memory limit of a child. */
  readonly memoryBytes: number;
  /** Folder of added models. */
  readonly modelsFolder?: string;
  /**
   * Folder for links to the current videos, on their disk; emptied at start and removed at the end. Absent: children
   * can read `readableFiles`.
   */
  readonly linksFolder?: string;
  /** The videos, if all are known at the start. Absent, without `linksFolder`: every file of the user. */
  readonly readableFiles?: readonly string[];
  readonly log: Log;
  /** The child's program; tests use others that misbehave. */
  readonly childModule?: URL;
}

export interface ChildNeeds {
  /** Inference threads. */
  readonly threads: number;
  readonly warmUp: readonly PipelineDefinition[];
}

/** A starting child makes some progress in this time, however slow the machine and its disk are. */
const START_IDLE_MS = 120_000;

/** Settings of a child's start. */
interface Fences {
  readonly isolation: Isolation;
  /** True: the kernel limits its memory. */
  readonly isLimited: boolean;
}

/** Starts children with every restriction that works on this machine. */
export class ChildStarter {
  readonly #options: ChildStarterOptions;
  readonly #folder: WorkFolder | undefined;
  /** The first one is tried first. After a successful start, no child starts with less isolation. */
  #fences: readonly Fences[];

  constructor(options: ChildStarterOptions) {
    this.#options = options;
    this.#folder = options.linksFolder === undefined ? undefined : new WorkFolder(options.linksFolder);
    this.#fences = weakerAndWeaker(options.isolation);
  }

  /** The restrictions of the children. */
  get levels(): readonly IsolationLevel[] {
    const [first] = this.#fences;
    return first?.isolation.levels.filter((level) => level !== 'memory' || first.isLimited) ?? [];
  }

  /** Returns a ready child. Rejects like `ChildHandle.start`. */
  async start(needs: ChildNeeds, signal: AbortSignal): Promise<ChildHandle> {
    const { log } = this.#options;
    const startedMs = performance.now();
    const child = await this.#startFenced(needs, signal);
    log.debug({ pid: child.pid, ms: Math.round(performance.now() - startedMs) }, 'child started');
    for (const notice of child.notices) log.warn({ pid: child.pid, notice }, 'a child runs without a restriction');
    return child;
  }

  /** Removes the folder of the children, which must have ended. */
  async close(): Promise<void> {
    await this.#folder?.remove();
  }

  /**
   * The limit counts memory mapped by the runtime, which differs between versions of Node.js, and the sandbox may
   * prevent reading a program in an unusual place. Neither may prevent all children from starting.
   */
  async #startFenced(needs: ChildNeeds, signal: AbortSignal): Promise<ChildHandle> {
    const causes: unknown[] = [];
    const candidates = this.#fences;
    for (const fences of candidates) {
      try {
        const child = await this.#startOne(needs, signal, fences);
        const left = candidates.slice(candidates.indexOf(fences));
        this.#fences = left.filter(({ isolation }) => isolation === fences.isolation);
        if (causes.length > 0) {
          this.#options.log.warn({ err: causes[0], isolation: this.levels }, 'no child starts with more isolation');
        }
        return child;
      } catch (error) {
        if (!(error instanceof ServiceError) || error.code !== 'child_unavailable' || error.retryable) throw error;
        causes.push(error);
      }
    }
    throw causes.at(-1);
  }

  async #startOne({ threads, warmUp }: ChildNeeds, signal: AbortSignal, fences: Fences): Promise<ChildHandle> {
    const { modelsFolder, memoryBytes, childModule, log, readableFiles } = this.#options;
    const { isolation, isLimited } = fences;
    const videos = isolation.sandbox.files ? await this.#makeVideoFolder() : undefined;
    const child = await ChildHandle.start({
      isolation,
      module: childModule ?? new URL('child.js', import.meta.url),
      start: { threads, modelsFolder },
      warm: { warmUp },
      startIdleMs: START_IDLE_MS,
      log,
      signal,
      ...(videos !== undefined && { videos }),
      ...(readableFiles !== undefined && { readableFiles }),
      ...(isLimited && { limitMemory: async (pid) => this.#limit(pid, memoryBytes) }),
    });
    if (child.warmBytes <= memoryBytes) return child;
    await child.kill();
    const used = `${Math.ceil(child.warmBytes / 1e6)} MB`;
    throw new ServiceError(
      'child_unavailable',
      `${threads} inference threads with their models fill ${used}, and CHILD_MEMORY_BYTES is ${memoryBytes}: ` +
        'raise it, or lower PIPELINE_THREADS',
    );
  }

  /** Rejects as retryable, because a full disk for example can recover. */
  async #makeVideoFolder(): Promise<VideoFolder | undefined> {
    try {
      return await this.#folder?.makeVideoFolder();
    } catch (cause) {
      const message = `no folder for a process that analyses videos can be made: ${messageOf(cause)}`;
      throw new ServiceError('child_unavailable', message, { cause, retryable: true });
    }
  }

  async #limit(pid: number, memoryBytes: number): Promise<void> {
    try {
      await limitMappedMemory(pid, mappedBytesFor(memoryBytes));
    } catch (error) {
      this.#options.log.warn({ pid, reason: messageOf(error) }, 'the kernel does not limit the memory of a child');
    }
  }
}

function weakerAndWeaker(isolation: Isolation): readonly Fences[] {
  const fences = [
    { isolation, isLimited: true },
    { isolation, isLimited: false },
    { isolation: withoutSandbox(isolation), isLimited: false },
  ];
  return isolation.levels.includes('memory') ? fences : fences.slice(1);
}
