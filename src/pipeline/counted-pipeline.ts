import type { FrameResult } from '../job.ts';
import type { PipelineDescription, RunOptions, VideoFilePipelineService } from './pipeline-service.ts';

/** Another pipeline service, every result of which is told. */
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

  async *runOnFile(pipelineId: string, filePath: string, options?: RunOptions): AsyncIterable<FrameResult> {
    for await (const frame of this.#inner.runOnFile(pipelineId, filePath, options)) {
      this.#onFrame(pipelineId);
      yield frame;
    }
  }
}
