import { messageOf, ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { ChildHandle } from './child-handle.ts';
import { limitMappedMemory, type Isolation, type IsolationLevel } from './isolation.ts';
import { mappedBytesFor } from './memory-plan.ts';

export interface ChildStarterOptions {
  readonly isolation: Isolation;
  /** Memory that a child may use. */
  readonly memoryBytes: number;
  /** Folder of the models that users brought. */
  readonly modelsFolder?: string;
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

/** Starts children, each under the kernel's memory limit as long as that is found to work. */
export class ChildStarter {
  readonly #options: ChildStarterOptions;
  #isLimited: boolean;

  constructor(options: ChildStarterOptions) {
    this.#options = options;
    this.#isLimited = options.isolation.levels.includes('memory');
  }

  /** The fences that children have. */
  get levels(): readonly IsolationLevel[] {
    return this.#options.isolation.levels.filter((level) => level !== 'memory' || this.#isLimited);
  }

  /** A warm child. Rejects as `ChildHandle.start` does. */
  async start(needs: ChildNeeds, signal: AbortSignal): Promise<ChildHandle> {
    const { log } = this.#options;
    const startedMs = performance.now();
    const child = await this.#startLimited(needs, signal);
    log.debug({ pid: child.pid, ms: Math.round(performance.now() - startedMs) }, 'child started');
    for (const notice of child.notices) log.warn({ pid: child.pid, notice }, 'a child goes without a setting');
    return child;
  }

  /** The limit counts what the runtime maps, which differs between versions of Node.js: it must not keep a child out. */
  async #startLimited(needs: ChildNeeds, signal: AbortSignal): Promise<ChildHandle> {
    if (!this.#isLimited) return this.#startOne(needs, signal, false);
    try {
      return await this.#startOne(needs, signal, true);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'child_unavailable' || error.retryable) throw error;
      const child = await this.#startOne(needs, signal, false);
      this.#isLimited = false;
      this.#options.log.warn({ err: error }, 'no child starts under the memory limit of the kernel: it is left out');
      return child;
    }
  }

  async #startOne({ threads, warmUp }: ChildNeeds, signal: AbortSignal, isLimited: boolean): Promise<ChildHandle> {
    const { isolation, modelsFolder, memoryBytes, childModule, log } = this.#options;
    const child = await ChildHandle.start({
      isolation,
      module: childModule ?? new URL('child.js', import.meta.url),
      start: { threads, modelsFolder },
      warm: { warmUp },
      startIdleMs: START_IDLE_MS,
      log,
      signal,
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
