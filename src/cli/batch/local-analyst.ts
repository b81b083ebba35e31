import { mkdir } from 'node:fs/promises';
import type { Config } from '../../config.ts';
import type { JobOptions } from '../../job.ts';
import { readableFolders } from '../../local/readable-paths.ts';
import { analysisPaths, isDone, type AnalysisPaths } from '../../local/analysis-record.ts';
import { LocalAnalyser } from '../../local/local-analyser.ts';
import type { Log } from '../../log.ts';
import { analysisText, type AnalysisFormat } from '../analysis-text.ts';
import { declarationOf, type Analyst, type Ending, type Subject } from './analyst.ts';
import type { Ledger } from './ledger.ts';

export interface LocalAnalystOptions {
  readonly config: Config;
  readonly log: Log;
  readonly ledger: Ledger;
  /** Folder of the analyses; created if missing. */
  readonly folder: string;
  /** See `BatchState`. */
  readonly draftTag: string;
  readonly videos: readonly string[];
  readonly pipelineId: string;
  readonly options: JobOptions;
  readonly retryFailed: boolean;
}

/** Analyses on this machine. Results are kept under their key, so that a file with another name finds them. */
export class LocalAnalyst implements Analyst {
  readonly parameters: unknown;
  readonly #options: LocalAnalystOptions;
  readonly #analyser: LocalAnalyser;

  private constructor(options: LocalAnalystOptions, analyser: LocalAnalyser) {
    this.#options = options;
    this.#analyser = analyser;
    this.parameters = [declarationOf(analyser.pipeline(options.pipelineId)), options.options];
  }

  /** Rejects with `unknown_pipeline`, or like `LocalAnalyser.open`. */
  static async open(options: LocalAnalystOptions): Promise<LocalAnalyst> {
    await mkdir(options.folder, { recursive: true });
    const analyser = await LocalAnalyser.open(options.config, options.log, readableFolders(options.videos));
    try {
      return new LocalAnalyst(options, analyser);
    } catch (error) {
      await analyser[Symbol.asyncDispose]();
      throw error;
    }
  }

  async analyse({ path: videoPath, video, key }: Subject, signal: AbortSignal): Promise<Ending> {
    const { ledger, draftTag, pipelineId, options, retryFailed } = this.#options;
    const target = this.#pathsOf(key);
    if (await isDone(target, { video, pipelineId, options })) return { status: 'completed', isNew: false };
    const failure = retryFailed ? undefined : ledger.failure(key);
    if (failure !== undefined) return { status: 'failed', code: failure.code, message: failure.message };
    const request = { videoPath, video, pipelineId, options, target, draftTag, signal };
    const outcome = await this.#analyser.analyse(request);
    if (outcome.kind === 'completed') return { status: 'completed', isNew: true };
    const { code, message, isFinal } = outcome;
    if (isFinal) await ledger.append({ type: 'failure', key, code, message });
    return { status: 'failed', code, message };
  }

  async save(
    { key }: Subject,
    format: AnalysisFormat,
    _: AbortSignal,
    save: (text: AsyncIterable<string>) => Promise<void>,
  ): Promise<void> {
    await save(analysisText(this.#pathsOf(key), format));
  }

  /** Ends its child processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#analyser[Symbol.asyncDispose]();
  }

  #pathsOf(key: string): AnalysisPaths {
    return analysisPaths(this.#options.folder, key);
  }
}
