import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import type { ReelstateClient } from '../../client/reelstate-client.ts';
import { ReelstateError } from '../../client/reelstate-error.ts';
import type { PipelineItem } from '../../client/responses.ts';
import { retryTransient } from '../../client/retry-transient.ts';
import { analysisOptionsOf, type AnalysisFlags } from '../analysis-flags.ts';
import type { AnalysisFormat } from '../analysis-text.ts';
import { resultsText } from '../results-text.ts';
import { isFileError } from '../upload-file.ts';
import { declarationOf, type Analyst, type Ending, type Subject } from './analyst.ts';
import type { Ledger } from './ledger.ts';

export interface ServiceAnalystOptions {
  readonly client: ReelstateClient;
  readonly url: string;
  readonly ledger: Ledger;
  readonly flags: AnalysisFlags;
  readonly retryFailed: boolean;
  /** Called while it waits for the service. */
  readonly onRetry: (error: ReelstateError) => void;
}

/** How a job ended. */
type Followed =
  | { readonly status: 'completed'; readonly jobId: string }
  | Extract<Ending, { readonly status: 'failed' }>;

/**
 * How long a service without a response is retried, in milliseconds; a restart with a large database takes some time.
 */
const PATIENCE_MS = 300_000;

/**
 * Analyses by a service. Each content is submitted with an `Idempotency-Key` made from its key, so that a retry finds its
 * job after a lost response, or after a kill before the job was recorded. (A service deletes a key after
 * `IDEMPOTENCY_TTL_MS`; recorded jobs do not depend on it.)
 */
export class ServiceAnalyst implements Analyst {
  readonly parameters: unknown;
  readonly #options: ServiceAnalystOptions;

  private constructor(options: ServiceAnalystOptions, pipeline: PipelineItem) {
    this.#options = options;
    this.parameters = [declarationOf(pipeline), analysisOptionsOf(options.flags)];
  }

  /** Rejects with `unknown_pipeline`, or with the error of a request. */
  static async open(options: ServiceAnalystOptions, signal: AbortSignal): Promise<ServiceAnalyst> {
    const { client, flags, onRetry } = options;
    const retry = { patienceMs: PATIENCE_MS, signal, onRetry };
    const { pipelines } = await retryTransient(() => client.pipelines({ signal }), retry);
    const pipeline = pipelines.find(({ id }) => id === flags.pipeline);
    if (pipeline !== undefined) return new ServiceAnalyst(options, pipeline);
    const known = pipelines.map(({ id }) => id).join(', ');
    throw new ReelstateError('unknown_pipeline', `Unknown pipeline ${flags.pipeline}; there is: ${known}`);
  }

  async analyse(subject: Subject, signal: AbortSignal): Promise<Ending> {
    const { ledger, url, retryFailed } = this.#options;
    const known = ledger.job(subject.key, url);
    try {
      if (known === undefined) return await this.#submit(subject, 1, signal);
      const ending = await this.#follow(known.job_id, signal);
      if (ending === undefined) return await this.#submit(subject, known.round, signal);
      const again = ending.status === 'failed' && retryFailed;
      if (again) return await this.#submit(subject, known.round + 1, signal);
      return ending.status === 'completed' ? { ...ending, isNew: false } : ending;
    } catch (error) {
      if (!(error instanceof ReelstateError) || !isFileError(error)) throw error;
      return { status: 'failed', code: error.code, message: error.message };
    }
  }

  async save(
    subject: Subject,
    format: AnalysisFormat,
    signal: AbortSignal,
    save: (text: AsyncIterable<string>) => Promise<void>,
  ): Promise<void> {
    const { client, ledger, url } = this.#options;
    const attempt = async (): Promise<void> => {
      const job = ledger.job(subject.key, url);
      if (job === undefined) throw new Error(`no job is recorded for ${subject.path}`);
      await save(resultsText(client, job.job_id, { format, signal }));
    };
    try {
      await this.#retry(attempt, signal);
    } catch (error) {
      if (!(error instanceof ReelstateError) || error.code !== 'results_expired') throw error;
      // The results were deleted since; only another analysis can restore them.
      await this.#submit(subject, (ledger.job(subject.key, url)?.round ?? 0) + 1, signal);
      await this.#retry(attempt, signal);
    }
  }

  async #submit({ path, key }: Subject, round: number, signal: AbortSignal): Promise<Ending> {
    const { client, flags, ledger, url } = this.#options;
    const submit = async () =>
      client.submit({
        file: await openAsBlob(path),
        fileName: basename(path),
        pipelineId: flags.pipeline,
        idempotencyKey: `batch-${key}-${round}`,
        ...analysisOptionsOf(flags),
        signal,
      });
    const { jobId, isReplay } = await this.#retry(submit, signal);
    await ledger.append({ type: 'job', key, url, job_id: jobId, round });
    const ending = await this.#follow(jobId, signal);
    if (ending === undefined) throw new ReelstateError('job_not_found', `The service has lost job ${jobId}`);
    return ending.status === 'completed' ? { ...ending, isNew: !isReplay } : ending;
  }

  /** Resolves when the job has ended; with undefined if the service does not know it. */
  async #follow(jobId: string, signal: AbortSignal): Promise<Followed | undefined> {
    try {
      const ended = await this.#options.client.waitFor(jobId, { signal, patienceMs: PATIENCE_MS });
      if (ended.status === 'completed') return { status: 'completed', jobId };
      const { error_code: code = 'internal', error_message: message = '' } = ended;
      return { status: 'failed', code, message, jobId };
    } catch (error) {
      if (error instanceof ReelstateError && error.code === 'job_not_found') return undefined;
      throw error;
    }
  }

  /** Jobs at the service continue. */
  async [Symbol.asyncDispose](): Promise<void> {}

  #retry<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return retryTransient(work, { patienceMs: PATIENCE_MS, signal, onRetry: this.#options.onRetry });
  }
}
