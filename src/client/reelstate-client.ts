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
import { errorOf, ReelstateError } from './reelstate-error.ts';
import { ResultLines } from './result-lines.ts';
import { searchPath } from './search-query.ts';
import { segmentsPath } from './segment-query.ts';
import { sendFile, type Fetch } from './send-file.ts';
import { sendFromPage } from './send-from-page.ts';

/** Pause between two status requests: grows by half each time, up to the maximum. */
const MIN_POLL_MS = 50;
const MAX_POLL_MS = 2_000;
/** How long a service that is restarting or busy is retried. */
const RETRY_FOR_MS = 60_000;

/** Client of a Reelstate service, for programs (Node.js 20.19) and pages. Calls reject with a `ReelstateError`. */
export class ReelstateClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: Fetch;
  readonly #isPage: boolean;

  constructor({ url = '', apiKey, fetch: send }: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, '');
    this.#headers = apiKey === undefined ? {} : { 'X-API-Key': apiKey };
    this.#fetch = send ?? ((address, init) => fetch(address, init));
    this.#isPage = send === undefined && 'XMLHttpRequest' in globalThis;
  }

  /** Uploads a video. Resolves when its job is stored durably. */
  async submit(options: SubmitOptions): Promise<Submission> {
    const { file, onProgress, signal } = options;
    const upload = {
      address: `${this.#url}/video/submit?${submissionQuery(options)}`,
      headers: this.#headersWith(options.idempotencyKey),
      file,
      fileName: options.fileName ?? ('name' in file && typeof file.name === 'string' ? file.name : 'video.mp4'),
      signal,
      onProgress,
    };
    const response = await this.#send(signal, () =>
      this.#isPage ? sendFromPage(upload) : sendFile(upload, (address, init) => this.#request(address, init)),
    );
    return this.#submission(response, signal);
  }

  /** Analyses the stored video of a job again in a new job. Rejects with `video_missing` if the video was deleted. */
  async rerun(jobId: string, options: RerunOptions = {}): Promise<Submission> {
    const { signal } = options;
    const address = `${this.#url}/video/jobs/${encodeURIComponent(jobId)}/rerun?${submissionQuery(options)}`;
    const init = {
      method: 'POST',
      headers: this.#headersWith(options.idempotencyKey),
      ...(signal === undefined ? {} : { signal }),
    };
    return this.#submission(await this.#send(signal, () => this.#request(address, init)), signal);
  }

  #headersWith(idempotencyKey: string | undefined): Readonly<Record<string, string>> {
    return idempotencyKey === undefined ? this.#headers : { ...this.#headers, 'Idempotency-Key': idempotencyKey };
  }

  async #submission(response: Response, signal: AbortSignal | undefined): Promise<Submission> {
    const { job_id: jobId } = await this.#read(response, isSubmission, signal);
    return { jobId, isReplay: response.headers.get('Idempotent-Replayed') === 'true' };
  }

  status(jobId: string, { signal }: CallOptions = {}): Promise<StatusResponse> {
    return this.#get(`/video/status/${encodeURIComponent(jobId)}`, isStatus, signal);
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
    for await (const piece of this.#pieces(resultsPath(jobId), signal)) {
      for (const text of lines.push(piece)) {
        const frame = parsed(text);
        if (!isFrameResult(frame)) throw unexpectedResponse(200);
        yield frame;
      }
    }
    lines.end();
  }

  /** Yields the JSON document of the results as text, in pieces. */
  resultsText(jobId: string, { signal }: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    return this.#pieces(resultsPath(jobId), signal);
  }

  /** Returns when each text, object or scene is seen in a completed job. */
  async segments<K extends SegmentKind = 'text'>(
    jobId: string,
    { kind, signal, ...filter }: SegmentsOptions<K> = {},
  ): Promise<readonly SegmentsOfKind[K][]> {
    // The default of the type parameter is that of the service.
    const wanted = isSegments<SegmentKind>(kind ?? 'text');
    const isWanted = (value: unknown): value is { readonly segments: readonly SegmentsOfKind[K][] } => wanted(value);
    return (await this.#get(segmentsPath(jobId, 'json', kind, filter), isWanted, signal)).segments;
  }

  /** Yields segments as subtitles, text, table or JSON, in pieces. */
  segmentsText(
    jobId: string,
    { format, kind, signal, ...filter }: SegmentsTextOptions,
  ): AsyncGenerator<string, void, undefined> {
    return this.#pieces(segmentsPath(jobId, format, kind, filter), signal);
  }

  /** Returns one page of the videos that show a text or an object, exact hits first. */
  search({ signal, ...filter }: SearchOptions): Promise<SearchResponse> {
    return this.#get(searchPath(filter), isSearch, signal);
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
  async still(jobId: string, { atMs = 0, format = 'jpeg', signal }: StillOptions = {}): Promise<Blob> {
    const query = new URLSearchParams({ at_ms: String(atMs), format });
    const response = await this.#open(`/video/still/${encodeURIComponent(jobId)}?${query.toString()}`, signal);
    return response.blob().catch((cause: unknown) => {
      throw this.#networkError(cause, signal, 'the connection broke during the picture');
    });
  }

  /** Returns a job as the list shows it. */
  job(jobId: string, { signal }: CallOptions = {}): Promise<JobItem> {
    return this.#get(`/video/jobs/${encodeURIComponent(jobId)}`, isJob, signal);
  }

  /** Cancels a pending or running job. Idempotent. Rejects with `job_conflict` when the job is completed. */
  cancel(jobId: string, { signal }: CallOptions = {}): Promise<StatusResponse> {
    return this.#get(`/video/cancel/${encodeURIComponent(jobId)}`, isStatus, signal, 'POST');
  }

  /** Deletes the video and the results of a finished job. Idempotent. Rejects with `job_conflict` until it has ended. */
  deleteFiles(jobId: string, { signal }: CallOptions = {}): Promise<DeletionResponse> {
    return this.#get(`/video/jobs/${encodeURIComponent(jobId)}`, isDeletion, signal, 'DELETE');
  }

  /** Returns one page of jobs, newest first. */
  page({ status, pipelineId, tag, fileName, limit, cursor, signal }: PageOptions = {}): Promise<JobsResponse> {
    const query = new URLSearchParams();
    if (status !== undefined) query.set('status', status);
    if (pipelineId !== undefined) query.set('pipeline_id', pipelineId);
    if (tag !== undefined) query.set('tag', tag);
    if (fileName !== undefined) query.set('file_name', fileName);
    if (limit !== undefined) query.set('limit', String(limit));
    if (cursor !== undefined) query.set('cursor', cursor);
    return this.#get(`/video/jobs?${query.toString()}`, isJobs, signal);
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
    return this.#get(`/video/jobs/${encodeURIComponent(jobId)}/transitions`, isTransitions, signal);
  }

  machine(id: string, { signal }: CallOptions = {}): Promise<MachineResponse> {
    return this.#get(`/machines/${encodeURIComponent(id)}?format=json`, isMachine, signal);
  }

  pipelines({ signal }: CallOptions = {}): Promise<PipelinesResponse> {
    return this.#get('/pipelines', isPipelines, signal);
  }

  async #get<T>(
    path: string,
    isResponse: (value: unknown) => value is T,
    signal: AbortSignal | undefined,
    method = 'GET',
  ): Promise<T> {
    return this.#read(await this.#open(path, signal, method), isResponse, signal);
  }

  #open(path: string, signal: AbortSignal | undefined, method = 'GET'): Promise<Response> {
    const init = { method, headers: this.#headers, ...(signal === undefined ? {} : { signal }) };
    return this.#send(signal, () => this.#request(this.#url + path, init));
  }

  /**
   * Rejects redirects: the service sends none, and a key must not be sent elsewhere. Node.js 20 would also keep the
   * whole request body in memory to repeat it.
   */
  #request(address: string, init: RequestInit): Promise<Response> {
    return this.#fetch(address, { ...init, redirect: 'error' });
  }

  async #send(signal: AbortSignal | undefined, request: () => Promise<Response>): Promise<Response> {
    let response: Response;
    try {
      response = await request();
    } catch (cause) {
      throw this.#networkError(cause, signal, `no response from ${this.#url === '' ? 'this address' : this.#url}`);
    }
    if (response.ok) return response;
    const error = await errorOf(response);
    signal?.throwIfAborted();
    throw error;
  }

  async #read<T>(
    response: Response,
    isResponse: (value: unknown) => value is T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let text: string;
    try {
      text = await response.text();
    } catch (cause) {
      throw this.#networkError(cause, signal, 'the connection broke during the response');
    }
    const body = parsed(text);
    if (!isResponse(body)) throw unexpectedResponse(response.status);
    return body;
  }

  async *#pieces(path: string, signal: AbortSignal | undefined): AsyncGenerator<string, void, undefined> {
    const { body } = await this.#open(path, signal);
    if (body === null) throw unexpectedResponse(200);
    const reader = body.getReader();
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw this.#networkError(cause, signal, 'the connection broke during the results');
        });
        if (done) break;
        yield decoder.decode(value, { stream: true });
      }
    } finally {
      // A reader that stops early closes the connection.
      await reader.cancel().catch(() => undefined);
    }
  }

  /** Returns the error for a request without a response. */
  #networkError(cause: unknown, signal: AbortSignal | undefined, detail: string): unknown {
    if (signal?.aborted === true) return signal.reason;
    return cause instanceof ReelstateError ? cause : new ReelstateError('unreachable', detail, { cause });
  }
}

function submissionQuery(options: Omit<RerunOptions, 'signal'>): string {
  const query = new URLSearchParams(analysisParameters(options));
  if (options.pipelineId !== undefined) query.set('pipeline_id', options.pipelineId);
  if (options.tag !== undefined) query.set('tag', options.tag);
  return query.toString();
}

function resultsPath(jobId: string): string {
  return `/video/results/${encodeURIComponent(jobId)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unexpectedResponse(status: number): ReelstateError {
  return new ReelstateError('unexpected_response', 'The response is not from Reelstate, or from another version', {
    status,
  });
}
