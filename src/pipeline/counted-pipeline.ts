import type { FrameResult, MediaFacts } from '../job.ts';
import type { PipelineDescription, RunOptions, VideoFilePipelineService } from './pipeline-service.ts';

/** A pipeline service that reports every result of another one. */
export class CountedPipeline implements VideoFilePipelineService {
  readonly #inner: VideoFilePipelineService;
  readonly #onFrame: (pipelineId: string) => void;

  constructor(inner: VideoFilePipelineService, onFrame: (pipelineId: string) => void) {
    this.#inner = inner;
    this.#onFrame = onFrame;
  }

  list(): readonly PipelineDescription[] {
    return this.#inner.list();
  }

  async *runOnFile(
    pipelineId: string,
    filePath: string,
    options?: RunOptions,
  ): AsyncGenerator<FrameResult, MediaFacts | undefined, void> {
    const results = this.#inner.runOnFile(pipelineId, filePath, options)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await results.next();
        if (next.done === true) return next.value;
        this.#onFrame(pipelineId);
        yield next.value;
      }
    } finally {
      await results.return?.();
    }
  }
}
