import { createActor, fromCallback, fromPromise, toPromise, type ActorRefFrom } from 'xstate';
import type { AnalysisResult, Claim, Hand, Outcome } from '../../machines/attempt.ts';
import { workerMachine, type Refusal, type WorkerOutput, type WorkerSnapshot } from '../../machines/worker.ts';
import { makeThumbnails, type SeenFrame } from '../analysis/make-thumbnails.ts';
import { storeAnalysis } from '../analysis/store-analysis.ts';
import { thumbnailsDocument } from '../analysis/thumbnails-document.ts';
import { messageOf, ServiceError } from '../errors.ts';
import { jobIdSchema, type Job, type JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { VideoPictureService } from '../pipeline/picture-service.ts';
import { runOptionsOf, type VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { StorageService } from '../storage/storage-service.ts';
import { classify, type Classified } from './classify-error.ts';
import type { JobEngine } from './job-engine.ts';
import { RunningClock } from './running-clock.ts';
import { resultsPathOf, resultsPathsOf, segmentsPathOf, thumbnailsPathOf } from './sidecar.ts';
import type { StepListener } from './step.ts';

export interface WorkerOptions {
  readonly engine: JobEngine;
  readonly queue: QueueService;
  readonly storage: StorageService;
  readonly pipelines: VideoFilePipelineService;
  /** Creates the thumbnails of a job; absent: they are created on request. */
  readonly pictures?: VideoPictureService;
  /** Longest attempt in milliseconds. */
  readonly jobTimeoutMs: number;
  /** Maximum size of a results file in bytes; a larger one fails its job with `too_large`. */
  readonly maxResultsBytes: number;
  readonly log: Log;
  readonly onStep?: StepListener;
}

/** Why a worker waits. */
export interface WorkerRefusal {
  /** The refused step of its machine. */
  readonly step: Refusal['step'];
  readonly code: Classified['code'];
  /** For clients. Contains no path of the machine. */
  readonly message: string;
  /** Refusals in a row. */
  readonly refusals: number;
}

/** Connects the worker machine to the queue, the engine, the storage and the pipelines. One job at a time. */
export class Worker {
  readonly #options: WorkerOptions;
  #actor: ActorRefFrom<typeof workerMachine> | undefined;
  #stopWaiting: () => void = () => {};

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /**
   * Takes one job and completes it; waits for a job whose next attempt is delayed. Resolves with false if the queue is
   * empty, or if the worker is stopped while it waits.
   */
  async runOnce(): Promise<boolean> {
    if (this.#options.queue.size() > 0 && !(await this.#untilReady())) return false;
    const ended = this.#run();
    this.drain();
    return (await ended).taken > 0;
  }

  /** Takes jobs until `drain` or `halt`. Resolves when no job is left; rejects if the worker died. */
  async runForever(): Promise<void> {
    await this.#run();
  }

  /** Takes no more jobs; the current one can finish. */
  drain(): void {
    this.#stopWaiting();
    this.#actor?.send({ type: 'DRAIN' });
  }

  /** Takes no more jobs and gives the current one back. */
  halt(): void {
    this.#stopWaiting();
    this.#actor?.send({ type: 'HALT' });
  }

  /** The current state; undefined before the first run. */
  snapshot(): WorkerSnapshot | undefined {
    return this.#actor?.getSnapshot();
  }

  /** Why the worker waits; undefined if it does not. */
  refusal(): WorkerRefusal | undefined {
    const snapshot = this.snapshot();
    if (snapshot?.hasTag('refused') !== true || snapshot.context.refusal === null) return undefined;
    const { step, error } = snapshot.context.refusal;
    const { code, message } = classify(error);
    return { step, code, message, refusals: snapshot.context.refusals };
  }

  /** Resolves with true if an id can be taken, with false if the worker is stopped. */
  #untilReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const end = this.#options.queue.onWork(() => resolve(true));
      this.#stopWaiting = () => {
        end();
        resolve(false);
      };
    });
  }

  async #run(): Promise<WorkerOutput> {
    const { engine, queue, jobTimeoutMs, log } = this.#options;
    const death = new AbortController();
    const actor = createActor(
      workerMachine.provide({
        actors: {
          awaitWork: fromCallback(({ sendBack }) => queue.onWork(() => sendBack({ type: 'WAKE' }))),
          claim: fromPromise(() => this.#claim()),
          analyse: fromPromise(({ input, signal }) => this.#analyse(input, AbortSignal.any([signal, death.signal]))),
          record: fromPromise(({ input }) => this.#record(input.claim, input.outcome)),
        },
        actions: {
          logRetry: ({ context }, { step, error }) =>
            log.warn(
              { job_id: jobIdOf(context.hand), step, refusals: context.refusals, reason: messageOf(error) },
              'refused by the environment; tried again after a pause',
            ),
          logDefect: ({ context }, { error }) =>
            log.error({ job_id: jobIdOf(context.hand), err: error }, 'the analysis failed by a defect'),
        },
        delays: { jobTimeout: jobTimeoutMs },
      }),
      { clock: new RunningClock() },
    );
    const unsubscribe = engine.onTransition(({ jobId }, { event }) => {
      if (event === 'CANCEL') actor.send({ type: 'CANCEL', jobId });
    });
    this.#actor = actor;
    try {
      return await toPromise(actor.start());
    } catch (error) {
      death.abort(error);
      await this.#abandon(actor.getSnapshot());
      throw error;
    } finally {
      unsubscribe();
    }
  }

  /** Records the outcome of the current job of a dead worker. */
  async #abandon({ context: { hand } }: WorkerSnapshot): Promise<void> {
    if (hand.kind === 'empty') return;
    const { claim, outcome } = hand;
    await this.#record(claim, outcome).catch((error: unknown) => {
      this.#options.log.error(
        { job_id: claim.jobId, reason: messageOf(error) },
        'the outcome was not recorded; the next start continues',
      );
    });
  }

  async #claim(): Promise<Claim | null> {
    const { queue } = this.#options;
    for (;;) {
      const jobId = queue.dequeue();
      if (jobId === undefined) return null;
      try {
        const claim = await this.#start(jobId);
        if (claim !== undefined) return claim;
      } catch (error) {
        queue.requeue(jobId);
        throw error;
      }
    }
  }

  /** Starts a job. Returns undefined if it cannot be started; the next one is then taken. */
  async #start(jobId: JobId): Promise<Claim | undefined> {
    const { engine, log } = this.#options;
    try {
      const { attempt } = await engine.start(jobId);
      return { jobId, attempt };
    } catch (error) {
      if (classify(error).kind === 'environment') throw error;
      if (!isOneOf(error, ['job_not_found', 'job_conflict'])) await engine.setAside(jobId, error);
      else log.warn({ job_id: jobId, reason: messageOf(error) }, 'id skipped');
      return undefined;
    }
  }

  async #analyse(claim: Claim, signal: AbortSignal): Promise<AnalysisResult> {
    const { engine, storage, pipelines, maxResultsBytes, log: parent } = this.#options;
    const { attempt } = claim;
    const jobId = jobIdSchema.parse(claim.jobId);
    const log = parent.child({ job_id: jobId, attempt });
    try {
      // A cancel between the commit of START and this state did not reach the machine, but it is in the row.
      const job = await engine.inHand(jobId);
      if (job.status !== 'running' || job.attempt !== attempt) return { kind: 'withdrawn' };
      const input = await storage.loadFile(job.inputPath);
      log.info({ pipeline_id: job.pipelineId }, 'analysis started');
      const results = pipelines.runOnFile(job.pipelineId, input, {
        ...runOptionsOf(job.options),
        signal,
      });
      const { outputPath, media, thumbnailFrames } = await storeAnalysis(results, {
        storage,
        resultsPath: resultsPathOf(jobId),
        segmentsPath: segmentsPathOf(jobId),
        maxResultsBytes,
        signal,
        onStored: (what) => this.#options.onStep?.(`attempt: ${what} stored`),
      });
      log.info({ output_path: outputPath }, 'results saved');
      await this.#storeThumbnails(job, input, thumbnailFrames, signal);
      return { kind: 'completed', outputPath, ...(media === undefined ? {} : { media }) };
    } catch (error) {
      log.warn({ err: error }, signal.aborted ? 'analysis aborted' : 'analysis failed');
      const { kind, code, message } = classify(error);
      if (engine.isRepeatedStall(jobId, error)) return { kind: 'video', code, message: `${message}, a second time` };
      if (kind !== 'environment') return { kind, code, message };
      const isItsOwn = code !== 'store_unavailable' && engine.isRefusedAlone(jobId);
      return isItsOwn ? { kind: 'attempt', code, message } : { kind, error };
    } finally {
      // The worker has left an aborted attempt, so nothing else deletes what it stored.
      if (signal.aborted) await this.#deleteResultsOfFailed(jobId);
    }
  }

  /** They are derived, so a failure to create or store them must not lose the results. */
  async #storeThumbnails(
    { jobId, options }: Job,
    video: string,
    frames: readonly SeenFrame[],
    signal: AbortSignal,
  ): Promise<void> {
    const { pictures, storage, log } = this.#options;
    if (pictures === undefined) return;
    try {
      const keyframesOnly = options.keyframes_only === true;
      const thumbnails = await makeThumbnails({ pictures, video, frames, keyframesOnly, signal });
      await storage.saveFile(thumbnailsDocument(thumbnails), thumbnailsPathOf(jobId), { signal });
      this.#options.onStep?.('attempt: thumbnails stored');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ job_id: jobId, err: error }, 'thumbnails not stored; they are created on request');
    }
  }

  async #record(claim: Claim, outcome: Outcome): Promise<void> {
    const { engine, log } = this.#options;
    const jobId = jobIdSchema.parse(claim.jobId);
    try {
      await engine.dispatch(jobId, outcome);
      // The attempt may have stored results before it took too long.
      if (outcome.type === 'FAIL') await this.#deleteResultsOfFailed(jobId);
    } catch (error) {
      if (classify(error).kind === 'environment') throw error;
      if (isOneOf(error, ['job_not_found', 'job_conflict'])) {
        log.warn(
          { job_id: jobId, attempt: claim.attempt, event: outcome.type, reason: messageOf(error) },
          'outcome rejected',
        );
      } else {
        await engine.setAside(jobId, error);
        if (!isOneOf(error, ['job_unwritable'])) return;
      }
      // The job was cancelled, or failed by the database, while its results were stored.
      if (outcome.type === 'COMPLETE') await this.#deleteResultsOfFailed(jobId);
    }
  }

  /** Deletes what an attempt has stored, if its job has failed or was cancelled meanwhile. */
  async #deleteResultsOfFailed(jobId: JobId): Promise<void> {
    const { engine, storage, onStep } = this.#options;
    if ((await engine.inHand(jobId)).status !== 'failed') return;
    onStep?.('cancelled attempt: before its results are deleted');
    for (const path of resultsPathsOf(jobId)) await storage.deleteFile(path);
  }
}

function jobIdOf(hand: Hand): string | undefined {
  return hand.kind === 'job' ? hand.claim.jobId : undefined;
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return error instanceof ServiceError && codes.includes(error.code);
}
