import { messageOf, ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { ChildHandle } from './child-handle.ts';
import { limitMappedMemory, withoutSandbox, type Isolation, type IsolationLevel } from './isolation.ts';
import { mappedBytesFor } from './memory-plan.ts';
import { WorkFolder } from './sandbox/work-folder.ts';

export interface ChildStarterOptions {
  readonly isolation: Isolation;
  /** Memory that a child may use. */
  readonly memoryBytes: number;
  /** Folder of the models that users brought. */
  readonly modelsFolder?: string;
  /**
   * Folder for links to the videos in hand, on their disk; emptied at the start and removed at the end. Absent: the
   * children may read every file that the user may.
   */
  readonly linksFolder?: string;
  readonly log: Log;
  /** The child's program; tests put in others that misbehave. */
  readonly childModule?: URL;
}

export interface ChildNeeds {
  /** Inference threads. */
  readonly threads: number;
  readonly warmUp: readonly PipelineDefinition[];
}

/** A child that starts does some work in this time, however busy the machine is and however slow its disk. */
const START_IDLE_MS = 120_000;

/** What a child is started with. */
interface Fences {
  readonly isolation: Isolation;
  /** True: the kernel limits its memory. */
  readonly isLimited: boolean;
}

/** Starts children, each with every restriction that is found to work. */
export class ChildStarter {
  readonly #options: ChildStarterOptions;
  readonly #folder: WorkFolder | undefined;
  /** The first is tried first. Once a child has started, no other may start with less isolation. */
  #fences: readonly Fences[];

  constructor(options: ChildStarterOptions) {
    this.#options = options;
    this.#folder = options.linksFolder === undefined ? undefined : new WorkFolder(options.linksFolder);
    this.#fences = weakerAndWeaker(options.isolation);
  }

  /** The restrictions that children have. */
  get levels(): readonly IsolationLevel[] {
    const [first] = this.#fences;
    return first?.isolation.levels.filter((level) => level !== 'memory' || first.isLimited) ?? [];
  }

  /** A warm child. Rejects as `ChildHandle.start` does. */
  async start(needs: ChildNeeds, signal: AbortSignal): Promise<ChildHandle> {
    const { log } = this.#options;
    const startedMs = performance.now();
    const child = await this.#startFenced(needs, signal);
    log.debug({ pid: child.pid, ms: Math.round(performance.now() - startedMs) }, 'child started');
    for (const notice of child.notices) log.warn({ pid: child.pid, notice }, 'a child goes without a setting');
    return child;
  }

  /** Removes the folder of the children, which have ended. */
  async close(): Promise<void> {
    await this.#folder?.remove();
  }

  /**
   * The limit counts what the runtime maps, which differs between versions of Node.js, and a program may be installed
   * where the sandbox does not let it be read: neither may keep all children out.
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
    const { modelsFolder, memoryBytes, childModule, log } = this.#options;
    const { isolation, isLimited } = fences;
    const videos = isolation.sandbox.files ? await this.#folder?.makeVideoFolder() : undefined;
    const child = await ChildHandle.start({
      isolation,
      module: childModule ?? new URL('child.js', import.meta.url),
      start: { threads, modelsFolder },
      warm: { warmUp },
      startIdleMs: START_IDLE_MS,
      log,
      signal,
      ...(videos !== undefined && { videos }),
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
