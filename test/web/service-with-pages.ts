import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from '../../src/engine/worker.ts';
import type { ShownMachine } from '../../src/http/routes/machines.ts';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import type { FrameResult, JobId } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import type { VideoFilePipelineService } from '../../src/pipeline/pipeline-service.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { makeVideo } from '../../tools/make-video.ts';
import type { VideoRecipe } from '../../tools/video-recipe.ts';
import type { VideoPictureService } from '../../src/pipeline/picture-service.ts';
import { form, openService } from '../http/service-under-test.ts';
import { jobIn } from '../job-in.ts';

export const WIDTH = 320;
export const HEIGHT = 180;
/** Every second frame of a video of two seconds is analysed. */
export const RESULTS: readonly FrameResult[] = Array.from({ length: 25 }, (_, index) => ({
  frame_index: index * 2,
  result: {
    timestamp_ms: index * 80,
    detections: [
      { label: 'person', confidence: 0.9, bbox: [20 + index * 4, 40, 60, 100] },
      ...(index >= 10 ? [{ label: 'dog, "small"', confidence: 0.6, bbox: [200, 100, 80, 60] as const }] : []),
    ].map(({ bbox, ...rest }) => ({ ...rest, bbox: [bbox[0] ?? 0, bbox[1] ?? 0, bbox[2] ?? 0, bbox[3] ?? 0] })),
    text: index >= 15 ? 'Gate B12' : '',
    lines: index >= 15 ? [{ text: 'Gate B12', confidence: 0.97, bbox: [100, 10, 90, 20] }] : [],
  },
}));

const registry = await PipelineRegistry.open();

/** Yields the results above on demand, so that a test sees each state. */
class HeldPipelines implements VideoFilePipelineService {
  /** The results of the next videos. */
  results = RESULTS;
  #release: (() => void) | undefined;
  #released = Promise.resolve();

  list() {
    return registry.describe();
  }

  hold(): void {
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release?.();
  }

  async *runOnFile(): AsyncGenerator<FrameResult> {
    const { results } = this;
    await this.#released;
    yield* results;
  }
}

/** Names the time and the format in place of pixels. */
const STILL: VideoPictureService = {
  async *pictures(_path, wish) {
    if (wish.kind === 'still') yield { timestampMs: 0, bytes: new TextEncoder().encode(`${wish.format} ${wish.atMs}`) };
  },
};

/** The service with its pages and one worker. Only the analysis and the pictures are made up. */
export async function openServiceWithPages(settings: { readonly machines?: readonly ShownMachine[] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'pages-'));
  const pipelines = new HeldPipelines();
  const workers: Worker[] = [];
  const service = await openService({
    pictures: STILL,
    ...settings,
    pipelines,
    maxUploadBytes: 4_000_000,
    workers: () => workers.map((worker) => worker.snapshot()?.value).filter((value) => value !== undefined),
  });
  const { engine, queue, storage } = service;
  const log = createLog('silent');
  const limits = { jobTimeoutMs: 60_000, maxResultsBytes: 100_000_000 };
  const worker = new Worker({ engine, queue, storage, pipelines, log, ...limits });
  workers.push(worker);
  const ended = worker.runForever();
  service.search.start();
  return {
    ...service,
    pipelines,
    folder,
    /** The path of a video of two seconds. */
    video(name = 'video.mp4', recipe: Partial<VideoRecipe> = {}): string {
      const path = join(folder, name);
      makeVideo({ path, width: WIDTH, height: HEIGHT, frames: 50, fps: 25, ...recipe });
      return path;
    },
    async submit(path: string, fileName = 'video.mp4'): Promise<JobId> {
      const body = form({ pipeline_id: 'yolo_ocr', frame_stride: '2' }, await readFile(path), fileName);
      const answer = await fetch(`${service.url}/video/submit`, { method: 'POST', body });
      return submitResponseSchema.parse(await answer.json()).job_id;
    },
    /** Resolves when the job has ended. */
    async ended(jobId: JobId): Promise<void> {
      const over = new Promise<void>((resolve) => {
        engine.onTransition((job) => {
          if (job.jobId === jobId && ['completed', 'failed'].includes(job.status)) resolve();
        });
      });
      if (['completed', 'failed'].includes((await jobIn(service.store, jobId)).status)) return;
      await over;
    },
    async close(): Promise<void> {
      pipelines.release();
      worker.halt();
      await ended;
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type ServiceWithPages = Awaited<ReturnType<typeof openServiceWithPages>>;
