import { analysisParameters } from './analysis-options.ts';
import type {
  CallOptions,
  ClientOptions,
  ListOptions,
  PageOptions,
  RerunOptions,
  SearchOptions,
  SegmentsOptions,
  SegmentsTextOptions,
  StillOptions,
  Submission,
  SubmitOptions,
  ThumbnailOptions,
  WaitOptions,
} from './call-options.ts';
import {
  isDeletion,
  isFrameResult,
  isJob,
  isJobs,
  isMachine,
  isPipelines,
  isSearch,
  isSegments,
  isStatus,
  isSubmission,
  isTransitions,
} from './response-guards.ts';
import type {
  DeletionResponse,
  FrameResult,
  JobItem,
  JobsResponse,
  MachineResponse,
  PipelinesResponse,
  SearchResponse,
  SegmentKind,
  SegmentsOfKind,
  StatusResponse,
  TransitionsResponse,
} from './responses.ts';
import { judgeTexts, type TextExpectation, type TextVerdict } from './expected-text.ts';
import { pause } from './pause.ts';
import { queryOf } from './query.ts';
import { ReelstateError } from './reelstate-error.ts';
import { ResultLines } from './result-lines.ts';
import { searchPath } from './search-query.ts';
import { segmentsPath } from './segment-query.ts';
import { checked, Transport } from './transport.ts';

/** Pause between two status requests: grows by half each time, up to the maximum. */
const MIN_POLL_MS = 50;
const MAX_POLL_MS = 2_000;
/** How long a service that is restarting or busy is retried. */
const RETRY_FOR_MS = 60_000;

/** Client of a Reelstate service, for programs (Node.js 20.19) and pages. Calls reject with a `ReelstateError`. */
export class ReelstateClient {
  readonly #service: Transport;

  constructor({ url = '', apiKey, fetch }: ClientOptions = {}) {
    const headers = apiKey === undefined ? {} : { 'X-API-Key': apiKey };
    this.#service = new Transport({ url, headers, fetch });
  }

  /** Uploads a video. Resolves when its job is stored durably. */
  async submit(options: SubmitOptions): Promise<Submission> {
    const { file, onProgress, signal } = options;
    const { query, headers } = submissionOf(options);
    const fileName = options.fileName ?? ('name' in file && typeof file.name === 'string' ? file.name : 'video.mp4');
    const path = `/video/submit?${query}`;
    return this.#submission(await this.#service.upload({ path, headers, file, fileName, signal, onProgress }), signal);
  }

  /** Analyses the stored video of a job again in a new job. Rejects with `video_missing` if the video was deleted. */
  async rerun(jobId: string, options: RerunOptions = {}): Promise<Submission> {
    const { signal } = options;
    const { query, headers } = submissionOf(options);
    const path = `${pathOf('jobs', jobId)}/rerun?${query}`;
    return this.#submission(await this.#service.open(path, { method: 'POST', headers, signal }), signal);
  }

  async #submission(response: Response, signal: AbortSignal | undefined): Promise<Submission> {
    const { job_id: jobId } = await this.#service.read(response, isSubmission, signal);
    return { jobId, isReplay: response.headers.get('Idempotent-Replayed') === 'true' };
  }

  status(jobId: string, { signal }: CallOptions = {}): Promise<StatusResponse> {
    return this.#service.get(pathOf('status', jobId), isStatus, { signal });
  }

  /** Resolves with the status of the job when it is completed or failed. Retries a busy service for one minute. */
  async waitFor(
    jobId: string,
    { signal, onState, patienceMs = RETRY_FOR_MS }: WaitOptions = {},
  ): Promise<StatusResponse> {
    let seen = '';
    let pauseMs = MIN_POLL_MS;
    let respondedMs = performance.now();
    for (;;) {
      let retryMs = 0;
      try {
        const status = await this.status(jobId, signal === undefined ? {} : { signal });
        respondedMs = performance.now();
        if (status.status !== seen) onState?.(status);
        seen = status.status;
        if (seen === 'completed' || seen === 'failed') return status;
      } catch (error) {
        if (!(error instanceof ReelstateError) || !error.isTransient) throw error;
        retryMs = (error.retryAfterS ?? 0) * 1_000;
        if (performance.now() + retryMs - respondedMs > patienceMs) throw error;
      }
      await pause(Math.max(pauseMs, retryMs), signal);
      pauseMs = Math.min(pauseMs * 1.5, MAX_POLL_MS);
    }
  }

  /** Yields the frames of a completed job as they arrive, with constant memory. */
  async *results(jobId: string, { signal }: CallOptions = {}): AsyncGenerator<FrameResult, void, undefined> {
    const lines = new ResultLines();
    for await (const piece of this.#service.pieces(pathOf('results', jobId), { signal })) {
      for (const text of lines.push(piece)) yield checked(text, isFrameResult, 200);
    }
    lines.end();
  }

  /** Yields the JSON document of the results as text, in pieces. */
  resultsText(jobId: string, { signal }: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    return this.#service.pieces(pathOf('results', jobId), { signal });
  }

  /** Returns when each text, object or scene is seen in a completed job. */
  async segments<K extends SegmentKind = 'text'>(
    jobId: string,
    { kind, signal, ...filter }: SegmentsOptions<K> = {},
  ): Promise<readonly SegmentsOfKind[K][]> {
    // The default of the type parameter is that of the service.
    const wanted = isSegments<SegmentKind>(kind ?? 'text');
    const isWanted = (value: unknown): value is { readonly segments: readonly SegmentsOfKind[K][] } => wanted(value);
    return (await this.#service.get(segmentsPath(jobId, 'json', kind, filter), isWanted, { signal })).segments;
  }

  /** Yields segments as subtitles, text, table or JSON, in pieces. */
  segmentsText(
    jobId: string,
    { format, kind, signal, ...filter }: SegmentsTextOptions,
  ): AsyncGenerator<string, void, undefined> {
    return this.#service.pieces(segmentsPath(jobId, format, kind, filter), { signal });
  }

  /** Returns one page of the videos that show a text or an object, exact hits first. */
  search({ signal, ...filter }: SearchOptions): Promise<SearchResponse> {
    return this.#service.get(searchPath(filter), isSearch, { signal });
  }

  /** Returns for each expected text whether it is seen in a completed job. */
  async expectText(
    jobId: string,
    expectation: TextExpectation,
    { signal }: CallOptions = {},
  ): Promise<readonly TextVerdict[]> {
    const options = { minDurationMs: 0, ...(signal === undefined ? {} : { signal }) };
    return judgeTexts(expectation, await this.segments(jobId, options));
  }

  /** Returns the frame of a stored video that a player shows at a time, in full size. Default: the first, as JPEG. */
  still(jobId: string, { atMs = 0, format = 'jpeg', signal }: StillOptions = {}): Promise<Blob> {
    return this.#service.picture(`${pathOf('still', jobId)}?${queryOf({ at_ms: atMs, format })}`, { signal });
  }

  /**
   * Returns a small picture (JPEG) of the first frame of a scene of a completed job; by default of the first frame
   * analysed. Rejects with `picture_not_found` for other frames.
   */
  thumbnail(jobId: string, { frameIndex = 'first', signal }: ThumbnailOptions = {}): Promise<Blob> {
    return this.#service.picture(`${pathOf('thumbnails', jobId)}/${frameIndex}`, { signal });
  }

  /** Returns a job as the list shows it. */
  job(jobId: string, { signal }: CallOptions = {}): Promise<JobItem> {
    return this.#service.get(pathOf('jobs', jobId), isJob, { signal });
  }

  /** Cancels a pending or running job. Idempotent. Rejects with `job_conflict` when the job is completed. */
  cancel(jobId: string, { signal }: CallOptions = {}): Promise<StatusResponse> {
    return this.#service.get(pathOf('cancel', jobId), isStatus, { method: 'POST', signal });
  }

  /** Deletes the video and the results of a finished job. Idempotent. Rejects with `job_conflict` until it has ended. */
  deleteFiles(jobId: string, { signal }: CallOptions = {}): Promise<DeletionResponse> {
    return this.#service.get(pathOf('jobs', jobId), isDeletion, { method: 'DELETE', signal });
  }

  /** Returns one page of jobs, newest first. */
  page({ status, pipelineId, tag, fileName, limit, cursor, signal }: PageOptions = {}): Promise<JobsResponse> {
    const query = queryOf({ status, pipeline_id: pipelineId, tag, file_name: fileName, limit, cursor });
    return this.#service.get(`/video/jobs?${query}`, isJobs, { signal });
  }

  /** Yields all jobs, newest first. */
  async *list(options: ListOptions = {}): AsyncGenerator<JobItem, void, undefined> {
    for (let cursor: string | null | undefined; cursor !== null;) {
      const { jobs, next_cursor: next } = await this.page({
        ...options,
        limit: 200,
        ...(cursor === undefined ? {} : { cursor }),
      });
      yield* jobs;
      cursor = next;
    }
  }

  /** Returns the history of a job. */
  transitions(jobId: string, { signal }: CallOptions = {}): Promise<TransitionsResponse> {
    return this.#service.get(`${pathOf('jobs', jobId)}/transitions`, isTransitions, { signal });
  }

  machine(id: string, { signal }: CallOptions = {}): Promise<MachineResponse> {
    return this.#service.get(`/machines/${encodeURIComponent(id)}?format=json`, isMachine, { signal });
  }

  pipelines({ signal }: CallOptions = {}): Promise<PipelinesResponse> {
    return this.#service.get('/pipelines', isPipelines, { signal });
  }
}

/** Query and headers of a new job. */
function submissionOf(options: Omit<RerunOptions, 'signal'>) {
  const { pipelineId, tag, idempotencyKey } = options;
  return {
    query: queryOf({ ...analysisParameters(options), pipeline_id: pipelineId, tag }),
    headers: idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey },
  };
}

/** The path of a job below one of the service's folders. */
function pathOf(folder: 'jobs' | 'status' | 'results' | 'cancel' | 'still' | 'thumbnails', jobId: string): string {
  return `/video/${folder}/${encodeURIComponent(jobId)}`;
}
