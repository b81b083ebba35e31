import { createActor, fromPromise, waitFor, type ActorRefFrom } from 'xstate';
import type { JobContext } from '../../machines/job.ts';
import { workerMachine, type Claim, type Outcome, type WorkerSnapshot } from '../../machines/worker.ts';
import { FAILURE_CODES, messageOf, ServiceError } from '../errors.ts';
import { jobIdSchema, type FrameResult, type JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobEngine } from './job-engine.ts';

export interface WorkerOptions {
  readonly engine: JobEngine;
  readonly queue: QueueService;
  readonly storage: StorageService;
  readonly pipelines: VideoFilePipelineService;
  /** Milliseconds that one attempt may take in all. */
  readonly jobTimeoutMs: number;
  readonly log: Log;
}

/** Binds the worker's machine to the queue, the engine, the storage and the pipelines. One job at a time. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #actor: ActorRefFrom<typeof workerMachine>;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#actor = createActor(
      workerMachine.provide({
        actors: {
          awaitWork: fromPromise(({ signal }) => options.queue.ready(signal)),
          claim: fromPromise(() => this.#claim()),
          analyse: fromPromise(({ input, signal }) => this.#analyse(input, signal)),
          record: fromPromise(({ input }) => this.#record(input.claim, input.outcome)),
        },
        delays: { jobTimeout: options.jobTimeoutMs },
      }),
    );
  }
