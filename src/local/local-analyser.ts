import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { storeAnalysis } from '../analysis/store-analysis.ts';
import type { Config } from '../config.ts';
import { classify, type Classified } from '../engine/classify-error.ts';
import { RETRY_DELAYS } from '../engine/retry-delay.ts';
import { RunningClock } from '../engine/running-clock.ts';
import { ServiceError } from '../errors.ts';
import type { JobOptions } from '../job.ts';
import type { Log } from '../log.ts';
import { runOptionsOf, type PipelineDescription } from '../pipeline/pipeline-service.ts';
import { openPipelines, type OpenedPipelines } from '../pipelines.ts';
import { hashFile, type AnalysisPaths, type AnalysisRecord } from './analysis-record.ts';
import { saveFile, SummingSaver, type FileFacts } from './save-file.ts';

export interface AnalysisRequest {
  readonly videoPath: string;
  /** Hash and size of the video, if known. */
  readonly video?: FileFacts | undefined;
  readonly pipelineId: string;
  readonly options: JobOptions;
  readonly target: AnalysisPaths;
  /** See `SaveOptions`. */
  readonly draftTag?: string | undefined;
  readonly signal: AbortSignal;
}

/** The video failed, or all attempts were lost. */
export interface AnalysisFailure extends Pick<Classified, 'code' | 'message'> {
  /** False if another run may succeed. */
  readonly isFinal: boolean;
}

export type AnalysisOutcome =
  | { readonly kind: 'completed'; readonly record: AnalysisRecord }
  | ({ readonly kind: 'failed' } & AnalysisFailure);

/** Analyses files in child processes like a service, and stores the same files. Keeps no state. */
export class LocalAnalyser implements AsyncDisposable {
  readonly #config: Config;
  readonly #opened: OpenedPipelines;

  private constructor(config: Config, opened: OpenedPipelines) {
    this.#config = config;
    this.#opened = opened;
  }

  /**
   * Rejects like `openPipelines`.
   * @param readable the videos, or folders with videos, that the child processes can read; at most some hundred
   */
  static async open(config: Config, log: Log, readable: readonly string[]): Promise<LocalAnalyser> {
    // On demand: a command that skips every video starts no process.
    return new LocalAnalyser(config, await openPipelines(config, log, { readableFiles: readable, isLazy: true }));
  }

  /** Rejects with `unknown_pipeline`. */
  pipeline(pipelineId: string): PipelineDescription {
    const all = this.#opened.pipelines.list();
    const found = all.find(({ id }) => id === pipelineId);
    if (found !== undefined) return found;
    const known = all.map(({ id }) => id).join(', ');
    throw new ServiceError('unknown_pipeline', `Unknown pipeline ${JSON.stringify(pipelineId)}; there is: ${known}`);
  }

  /**
   * Analyses a video and writes its results, its segments and finally its record. Repeats lost attempts like the
   * service. Rejects if the machine refuses (no space, no process), and with the signal's reason.
   */
  async analyse(request: AnalysisRequest): Promise<AnalysisOutcome> {
    const { signal } = request;
    for (let losses = 0; ;) {
      try {
        return { kind: 'completed', record: await this.#attempt(request) };
      } catch (error) {
        signal.throwIfAborted();
        const { kind, code, message } = classify(error);
        if (kind === 'environment') throw error;
        // Not final: the file was removed, or the child process may not read it.
        if (code === 'input_missing') return { kind: 'failed', code, message: withAdvice(message), isFinal: false };
        if (kind === 'video') return { kind: 'failed', code, message, isFinal: true };
        losses += 1;
        if (losses >= this.#config.MAX_ATTEMPTS) {
          const reason = `interrupted ${losses} times, no attempt left: ${message}`;
          return { kind: 'failed', code, message: reason, isFinal: false };
        }
        await pause(RETRY_DELAYS.afterLosses(losses), undefined, { signal });
      }
    }
  }

  async #attempt({ videoPath, pipelineId, options, target, signal: stop, ...rest }: AnalysisRequest) {
    const { JOB_TIMEOUT_MS: timeoutMs, MAX_RESULTS_BYTES: maxResultsBytes } = this.#config;
    const timeout = new AbortController();
    const clock = new RunningClock();
    const timer = clock.setTimeout(() => timeout.abort(timedOut(timeoutMs)), timeoutMs);
    const signal = AbortSignal.any([stop, timeout.signal]);
    try {
      const video = rest.video ?? (await hashFile(videoPath, signal));
      const frames = this.#opened.pipelines.runOnFile(pipelineId, videoPath, { ...runOptionsOf(options), signal });
      const saver = new SummingSaver(rest.draftTag);
      const { results: resultsPath, segments: segmentsPath } = target;
      const { media } = await storeAnalysis(frames, {
        storage: saver,
        resultsPath,
        segmentsPath,
        maxResultsBytes,
        signal,
      });
      const record: AnalysisRecord = {
        version: 1,
        file_name: basename(videoPath),
        video,
        pipeline_id: pipelineId,
        options,
        media: media ?? null,
        results: { file: basename(resultsPath), ...saver.factsOf(resultsPath) },
        segments: { file: basename(segmentsPath), ...saver.factsOf(segmentsPath) },
      };
      await saveFile(target.record, jsonText(record), { signal, draftTag: rest.draftTag });
      return record;
    } finally {
      clock.clearTimeout(timer);
    }
  }

  /** Ends all child processes, busy ones included. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.processes.close();
  }
}

/** A child process of root has no capabilities, and then cannot read the private file of another user. */
function withAdvice(message: string): string {
  return message.includes('EACCES') ? `${message}; run the command as the owner of the video` : message;
}

function timedOut(timeoutMs: number): ServiceError {
  return new ServiceError('timeout', `the attempt took longer than JOB_TIMEOUT_MS allows (${timeoutMs} ms)`);
}

async function* jsonText(value: unknown): AsyncGenerator<string> {
  yield `${JSON.stringify(value, null, 2)}\n`;
}
