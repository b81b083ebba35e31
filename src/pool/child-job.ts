import { ServiceError } from '../errors.ts';
import type { FrameResult, MediaFacts } from '../job.ts';
import { crashError } from './child-errors.ts';
import type { ChildHandle } from './child-handle.ts';
import type { OpenRequest } from './protocol.ts';
import { Watch } from './watch.ts';

export interface ChildJobOptions {
  readonly child: ChildHandle;
  readonly request: OpenRequest;
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Results that another child has already produced; default none. */
  readonly skip?: number;
}

/** Results of a job and facts about its video. */
export type Results = AsyncGenerator<FrameResult, MediaFacts | undefined, void>;

/** One job in one child. */
export class ChildJob {
  readonly #options: ChildJobOptions;
  #isDone = false;
  #yielded = 0;

  constructor(options: ChildJobOptions) {
    this.#options = options;
  }

  /** True if the child has returned all results and is free for another job. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Number of yielded results. */
  get yielded(): number {
    return this.#yielded;
  }

  /** Yields the results in frame order. Kills the child if the job is aborted, stalls, or needs too much memory. */
  async *results(): Results {
    const { child, request, signal, stallTimeoutMs, skip = 0 } = this.#options;
    using watch = new Watch({ child, memoryBytes: request.memoryBytes, stallTimeoutMs, signal });
    let seen = 0;
    try {
      await watch.during(child.open(request));
      for (;;) {
        const reply = await watch.during(child.next());
        watch.note(reply.decoded, reply.frames.length);
        this.#isDone = reply.done;
        for (const frame of reply.frames) {
          signal.throwIfAborted();
          seen += 1;
          if (seen <= skip) continue;
          this.#yielded += 1;
          yield frame;
        }
        if (reply.done) return reply.media;
      }
    } catch (error) {
      const crashed = error instanceof ServiceError && error.code === 'decoder_crashed';
      throw crashed && child.death !== undefined ? crashError(child.death, watch.nearLimit) : error;
    } finally {
      await child.clear();
    }
  }
}
