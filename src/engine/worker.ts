import { createActor, fromCallback, fromPromise, toPromise, type ActorRefFrom } from 'xstate';
import type { AnalysisResult, Claim, Hand, Outcome } from '../../machines/attempt.ts';
import { workerMachine, type Refusal, type WorkerOutput, type WorkerSnapshot } from '../../machines/worker.ts';
import { storeAnalysis } from '../analysis/store-analysis.ts';
import { messageOf, ServiceError } from '../errors.ts';
import { jobIdSchema, type JobId } from '../job.ts';
import type { Log } from '../log.ts';
import { runOptionsOf, type VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { StorageService } from '../storage/storage-service.ts';
import { classify, type Classified } from './classify-error.ts';
import type { JobEngine } from './job-engine.ts';
import { RunningClock } from './running-clock.ts';
import { resultsPathOf, segmentsPathOf } from './sidecar.ts';
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

/** Why a worker waits before it goes on. */
export interface WorkerRefusal {
  /** The step of its machine that was refused. */
  readonly step: Refusal['step'];
  readonly code: Classified['code'];
  /** For clients: names no path of the machine. */
  readonly message: string;
  /** Times in a row. */
  readonly refusals: number;
}

/** Binds the worker's machine to the queue, the engine, the storage and the pipelines. One job at a time. */
export class Worker {
  readonly #options: WorkerOptions;
  #actor: ActorRefFrom<typeof workerMachine> | undefined;
  #stopWaiting: () => void = () => {};

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /**
   * Takes one job and sees it through; waits for one whose next attempt is delayed. Resolves with false when the queue
   * was empty, or the worker was told to stop while it waited.
   */
  async runOnce(): Promise<boolean> {
    if (this.#options.queue.size() > 0 && !(await this.#untilReady())) return false;
    const ended = this.#run();
    this.drain();
    return (await ended).taken > 0;
  }

  /** Takes jobs as they come. Resolves after `drain` or `halt`, when none is in hand; rejects when the worker died. */
  async runForever(): Promise<void> {
    await this.#run();
  }

  /** Take no further job; the one in hand may finish. */
  drain(): void {
    this.#stopWaiting();
    this.#actor?.send({ type: 'DRAIN' });
  }

  /** Take no further job, and give the one in hand back. */
  halt(): void {
    this.#stopWaiting();
    this.#actor?.send({ type: 'HALT' });
  }

  /** The present state, or undefined before the first run. */
  snapshot(): WorkerSnapshot | undefined {
    return this.#actor?.getSnapshot();
  }

  /** Why it waits before it tries again; undefined while the environment lets it work. */
  refusal(): WorkerRefusal | undefined {
    const snapshot = this.snapshot();
    if (snapshot?.hasTag('refused') !== true || snapshot.context.refusal === null) return undefined;
    const { step, error } = snapshot.context.refusal;
    const { code, message } = classify(error);
    return { step, code, message, refusals: snapshot.context.refusals };
  }

  /** Resolves with true when an id can be taken, with false when the worker is told to stop. */
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

  /** Records the outcome of the job that a dead worker had in hand. */
  async #abandon({ context: { hand } }: WorkerSnapshot): Promise<void> {
    if (hand.kind === 'empty') return;
    const { claim, outcome } = hand;
    await this.#record(claim, outcome).catch((error: unknown) => {
      this.#options.log.error({ job_id: claim.jobId, reason: messageOf(error) }, 'left to the next start');
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

  /** Marks a job running. Undefined when it cannot be: it is left out, and the next one is taken. */
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
      // The machine did not hear a cancel that came between the commit of START and this state: the row has it.
      const job = await engine.inHand(jobId);
      if (job.status !== 'running' || job.attempt !== attempt) return { kind: 'withdrawn' };
      const input = await storage.loadFile(job.inputPath);
      log.info({ pipeline_id: job.pipelineId }, 'analysis started');
      const results = pipelines.runOnFile(job.pipelineId, input, {
        ...runOptionsOf(job.options),
        signal,
      });
      const { outputPath, media } = await storeAnalysis(results, {
        storage,
        resultsPath: resultsPathOf(jobId),
        segmentsPath: segmentsPathOf(jobId),
        maxResultsBytes,
        signal,
        onStored: (what) => this.#options.onStep?.(`attempt: ${what} stored`),
      });
      log.info({ output_path: outputPath }, 'results saved');
      return { kind: 'completed', outputPath, ...(media === undefined ? {} : { media }) };
    } catch (error) {
      log.warn({ err: error }, signal.aborted ? 'analysis given up' : 'analysis failed');
      const { kind, code, message } = classify(error);
      if (engine.isRepeatedStall(jobId, error)) return { kind: 'video', code, message: `${message}, a second time` };
      if (kind !== 'environment') return { kind, code, message };
      const isItsOwn = code !== 'store_unavailable' && engine.isRefusedAlone(jobId);
      return isItsOwn ? { kind: 'attempt', code, message } : { kind, error };
    }
  }

  async #record(claim: Claim, outcome: Outcome): Promise<void> {
    const { engine, storage, log } = this.#options;
    const jobId = jobIdSchema.parse(claim.jobId);
    try {
      await engine.dispatch(jobId, outcome);
    } catch (error) {
      if (classify(error).kind === 'environment') throw error;
      if (isOneOf(error, ['job_not_found', 'job_conflict'])) {
        log.warn(
          { job_id: jobId, attempt: claim.attempt, event: outcome.type, reason: messageOf(error) },
          'outcome refused',
        );
      } else {
        await engine.setAside(jobId, error);
        if (!isOneOf(error, ['job_unwritable'])) return;
      }
      // Cancelled while the results were being stored, or failed by the database: the results belong to no job.
      if (outcome.type === 'COMPLETE' && (await engine.inHand(jobId)).status === 'failed') {
        this.#options.onStep?.('cancelled attempt: before its results are deleted');
        await storage.deleteFile(outcome.outputPath);
        await storage.deleteFile(segmentsPathOf(jobId));
      }
    }
  }
}

function jobIdOf(hand: Hand): string | undefined {
  return hand.kind === 'job' ? hand.claim.jobId : undefined;
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return error instanceof ServiceError && codes.includes(error.code);
}
