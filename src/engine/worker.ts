import { createActor, fromCallback, fromPromise, waitFor, type ActorRefFrom } from 'xstate';
import { workerMachine, type Claim, type Outcome, type WorkerSnapshot } from '../../machines/worker.ts';
import { FAILURE_CODES, messageOf, ServiceError } from '../errors.ts';
import { jobIdSchema, type FrameResult } from '../job.ts';
import type { Log } from '../log.ts';
import type { VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobEngine } from './job-engine.ts';
import { resultsPathOf } from './sidecar.ts';
import type { StepListener } from './step.ts';

export interface WorkerOptions {
  readonly engine: JobEngine;
  readonly queue: QueueService;
  readonly storage: StorageService;
  readonly pipelines: VideoFilePipelineService;
  /** Milliseconds that one attempt may take in all. */
  readonly jobTimeoutMs: number;
  /** Bytes that a results file may have; one that grows beyond fails its job with `too_large`. */
  readonly maxResultsBytes: number;
  readonly log: Log;
  readonly onStep?: StepListener;
}

/** Binds the worker's machine to the queue, the engine, the storage and the pipelines. One job at a time. */
export class Worker {
  readonly #options: WorkerOptions;
  #actor: ActorRefFrom<typeof workerMachine> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Takes one job and sees it through. Resolves with false when the queue was empty. */
  async runOnce(): Promise<boolean> {
    const actor = this.#start();
    actor.send({ type: 'DRAIN' });
    return (await stopped(actor)).context.taken > 0;
  }

  /** Takes jobs as they come; resolves after `drain` or `halt`, when none is in hand. */
  async runForever(): Promise<void> {
    await stopped(this.#start());
  }

  /** Take no further job; the one in hand may finish. */
  drain(): void {
    this.#actor?.send({ type: 'DRAIN' });
  }

  /** Take no further job, and give the one in hand back. */
  halt(): void {
    this.#actor?.send({ type: 'HALT' });
  }

  /** The present state, or undefined before the first run. */
  snapshot(): WorkerSnapshot | undefined {
    return this.#actor?.getSnapshot();
  }

  #start(): ActorRefFrom<typeof workerMachine> {
    const { engine, queue, jobTimeoutMs } = this.#options;
    const actor = createActor(
      workerMachine.provide({
        actors: {
          awaitWork: fromCallback(({ sendBack }) => queue.onWork(() => sendBack({ type: 'WAKE' }))),
          claim: fromPromise(() => this.#claim()),
          analyse: fromPromise(({ input, signal }) => this.#analyse(input, signal)),
          record: fromPromise(({ input }) => this.#record(input.claim, input.outcome)),
        },
        delays: { jobTimeout: jobTimeoutMs },
      }),
    );
    const unsubscribe = engine.onTransition(({ jobId }, { event }) => {
      if (event === 'CANCEL') actor.send({ type: 'CANCEL', jobId });
    });
    actor.subscribe({ complete: unsubscribe });
    this.#actor = actor;
    return actor.start();
  }

  async #claim(): Promise<Claim | null> {
    const { engine, queue, log } = this.#options;
    for (;;) {
      const jobId = queue.dequeue();
      if (jobId === undefined) return null;
      try {
        const { attempt } = await engine.start(jobId);
        return { jobId, attempt };
      } catch (error) {
        if (!isOneOf(error, ['job_not_found', 'job_conflict'])) {
          queue.requeue(jobId);
          throw error;
        }
        log.warn({ job_id: jobId, reason: messageOf(error) }, 'id skipped');
      }
    }
  }

  async #analyse(claim: Claim | null, signal: AbortSignal): Promise<Outcome> {
    if (claim === null) return null;
    const { engine, storage, pipelines, maxResultsBytes, log: parent } = this.#options;
    const { attempt } = claim;
    const log = parent.child({ job_id: claim.jobId, attempt });
    // A cancel between the commit of START and this state went unheard by the machine: the row tells.
    const job = await engine.inHand(jobIdSchema.parse(claim.jobId));
    if (job.status !== 'running' || job.attempt !== attempt) return null;
    try {
      const input = await storage.loadFile(job.inputPath);
      log.info({ pipeline_id: job.pipelineId }, 'analysis started');
      const { frame_stride: frameStride, max_frames: maxFrames } = job.options;
      const results = pipelines.runOnFile(job.pipelineId, input, {
        frameStride,
        ...(maxFrames === undefined ? {} : { maxFrames }),
        signal,
      });
      const text = resultsText(results, maxResultsBytes);
      const outputPath = await storage.saveFile(text, resultsPathOf(job.jobId), { signal });
      this.#options.onStep?.('attempt: results stored');
      log.info({ output_path: outputPath }, 'results saved');
      return { type: 'COMPLETE', attempt, outputPath };
    } catch (error) {
      log.warn({ err: error }, signal.aborted ? 'analysis given up' : 'analysis failed');
      return outcomeOf(error, attempt);
    }
  }

  async #record(claim: Claim | null, outcome: Outcome): Promise<void> {
    if (claim === null || outcome === null) return;
    const { engine, storage, log } = this.#options;
    const jobId = jobIdSchema.parse(claim.jobId);
    try {
      await engine.dispatch(jobId, outcome);
    } catch (error) {
      if (!isOneOf(error, ['job_not_found', 'job_conflict'])) throw error;
      log.warn(
        { job_id: jobId, attempt: claim.attempt, event: outcome.type, reason: messageOf(error) },
        'outcome refused',
      );
      // Cancelled while the results were being stored: they belong to nobody.
      if (outcome.type === 'COMPLETE' && (await engine.get(jobId)).status === 'failed') {
        this.#options.onStep?.('cancelled attempt: before its results are deleted');
        await storage.deleteFile(outcome.outputPath);
      }
    }
  }
}

async function stopped(actor: ActorRefFrom<typeof workerMachine>): Promise<WorkerSnapshot> {
  const snapshot = await waitFor(actor, ({ value }) => value.work === 'stopped', { timeout: Number.POSITIVE_INFINITY });
  actor.stop();
  return snapshot;
}

/** `{"results": [...]}` as it comes, one frame a line. */
async function* resultsText(results: AsyncIterable<FrameResult>, maxBytes: number): AsyncGenerator<string> {
  let separator = '{"results": [\n';
  let bytes = 0;
  for await (const result of results) {
    const text = separator + JSON.stringify(result);
    bytes += Buffer.byteLength(text);
    if (bytes > maxBytes) {
      throw new ServiceError('too_large', `The results have more bytes than MAX_RESULTS_BYTES allows (${maxBytes})`);
    }
    yield text;
    separator = ',\n';
  }
  yield separator === ',\n' ? '\n]}\n' : '{"results": []}\n';
}

/** Trouble that befell the attempt interrupts the job; trouble that would come again fails it. */
function outcomeOf(error: unknown, attempt: number): Outcome {
  const code = FAILURE_CODES.find((known) => error instanceof ServiceError && error.code === known) ?? 'internal';
  const retryable = error instanceof ServiceError && error.retryable;
  if (error instanceof ServiceError && error.code === 'file_missing') {
    return { type: 'FAIL', attempt, code: 'input_missing', message: error.message };
  }
  return { type: retryable ? 'INTERRUPT' : 'FAIL', attempt, code, message: messageOf(error) };
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return error instanceof ServiceError && codes.includes(error.code);
}
