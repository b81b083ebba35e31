import { once } from 'node:events';
import { Worker, type ResourceLimits, type Transferable } from 'node:worker_threads';
import type { FrameParts } from '../../pipeline/frame-parts.ts';

export interface ThreadOptions {
  /** Compiled module beside this one. */
  readonly module: string;
  readonly workerData?: unknown;
  readonly resourceLimits: ResourceLimits;
  /** An uncaught error, including a full heap: the thread has ended. */
  readonly onDeath: (error: Error) => void;
}

/** A thread of the child process with its current listener. */
export class Thread<In, Out> {
  readonly #worker: Worker;
  /** Resolves when the thread executes JavaScript. */
  readonly running: Promise<unknown>;
  #listener: (message: Out) => void = () => {};

  constructor(options: ThreadOptions) {
    this.#worker = new Worker(new URL(options.module, import.meta.url), {
      workerData: options.workerData,
      resourceLimits: options.resourceLimits,
    });
    this.running = once(this.#worker, 'online');
    this.#worker.on('message', (message: Out) => this.#listener(message));
    this.#worker.on('error', options.onDeath);
  }

  /** Replaces the listener of the thread. */
  listen(listener: (message: Out) => void): void {
    this.#listener = listener;
  }

  post(message: In, transfer: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

/** Buffers to transfer with a frame, so that its pixels are not copied. */
export function buffersOf({ parts }: FrameParts): ArrayBuffer[] {
  return parts.map(({ rgb }) => rgb.buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}
