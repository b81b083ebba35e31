import {
  isDeletion,
  isFrameResult,
  isJobs,
  isMachine,
  isPipelines,
  isStatus,
  isSubmission,
  isTransitions,
} from './answer-guards.ts';
import type {
  DeletionAnswer,
  FrameResult,
  JobItem,
  JobsAnswer,
  JobState,
  MachineAnswer,
  PipelinesAnswer,
  StatusAnswer,
  TransitionsAnswer,
} from './answers.ts';
import { pause } from './pause.ts';
import { ReelstateError, refusalOf } from './reelstate-error.ts';
import { ResultItems } from './result-items.ts';
import { sendFile, type Ask } from './send-file.ts';
import { sendFromPage } from './send-from-page.ts';

/** Between two questions for a status: from the shorter to the longer, half as long again each time. */
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** For so long a service that is restarting or too busy is asked again. */
const PATIENCE_MS = 60_000;

export interface ClientOptions {
  /** The service's address, such as `http://127.0.0.1:8000`; in a page of the service itself it may be left out. */
  readonly url?: string;
  /** One of the service's `API_KEYS`. */
  readonly apiKey?: string;
  /** What asks in the place of `fetch`, such as one that checks or counts. */
  readonly fetch?: Ask;
}

export interface Stoppable {
  /** Aborting it rejects the call with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface SubmitOptions extends Stoppable {
  /** Of a Node.js program: `await fs.openAsBlob(path)`, which is read as it is sent. */
  readonly file: Blob;
  /** Default: the file's own name, where it has one. */
  readonly fileName?: string;
  readonly pipelineId: string;
  /** Every n-th frame is analysed; absent: every frame. */
  readonly frameStride?: number;
  /** At most so many frames are analysed; absent: all. */
  readonly maxFrames?: number;
  /** The same submission again under the same key gives the same job. At most 255 printable ASCII characters. */
  readonly idempotencyKey?: string;
  readonly onProgress?: (sentBytes: number, allBytes: number) => void;
}

export interface Submission {
  readonly jobId: string;
  /** True when the key had been used before, and nothing new was accepted. */
  readonly isReplay: boolean;
}

export interface WaitOptions extends Stoppable {
  /** Gets each state once, when it is first seen. */
  readonly onState?: (status: StatusAnswer) => void;
}

export interface ListOptions extends Stoppable {
  readonly status?: JobState;
  readonly pipelineId?: string;
}

export interface PageOptions extends ListOptions {
  /** Jobs on the page, 1 to 200; absent: 50. */
  readonly limit?: number;
  /** The `next_cursor` of the page before. */
  readonly cursor?: string;
}

/** A Reelstate service over HTTP, for programs (Node.js 20.19) and pages. Every call rejects with a `ReelstateError`. */
export class ReelstateClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #ask: Ask;
  readonly #isPage: boolean;

  constructor({ url = '', apiKey, fetch: ask }: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, '');
    this.#headers = apiKey === undefined ? {} : { 'X-API-Key': apiKey };
    this.#ask = ask ?? ((address, init) => fetch(address, init));
    this.#isPage = ask === undefined && 'XMLHttpRequest' in globalThis;
  }

  /** Uploads a video; resolves when its job is recorded durably. */
  async submit(options: SubmitOptions): Promise<Submission> {
    const { file, pipelineId, frameStride, maxFrames, idempotencyKey, onProgress, signal } = options;
    const query = new URLSearchParams({ pipeline_id: pipelineId });
    if (frameStride !== undefined) query.set('frame_stride', String(frameStride));
    if (maxFrames !== undefined) query.set('max_frames', String(maxFrames));
    const sending = {
      address: `${this.#url}/video/submit?${query.toString()}`,
      headers: { ...this.#headers, ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }) },
      file,
      fileName: options.fileName ?? ('name' in file && typeof file.name === 'string' ? file.name : 'video.mp4'),
      signal,
      onProgress,
    };
    const response = await this.#heard(signal, () =>
      this.#isPage ? sendFromPage(sending) : sendFile(sending, (address, init) => this.#request(address, init)),
    );
    const { job_id: jobId } = await this.#read(response, isSubmission, signal);
    return { jobId, isReplay: response.headers.get('Idempotent-Replayed') === 'true' };
  }

  status(jobId: string, { signal }: Stoppable = {}): Promise<StatusAnswer> {
    return this.#get(`/video/status/${encodeURIComponent(jobId)}`, isStatus, signal);
  }

  /**
   * Resolves with the status of a job that has ended, completed or failed. A service that does not answer, or is too
   * busy, is asked again for a minute.
   */
  async waitFor(jobId: string, { signal, onState }: WaitOptions = {}): Promise<StatusAnswer> {
    let seen = '';
    let pauseMs = SHORTEST_PAUSE_MS;
    let answeredMs = performance.now();
    for (;;) {
      let longerMs = 0;
      try {
        const status = await this.status(jobId, signal === undefined ? {} : { signal });
        answeredMs = performance.now();
        if (status.status !== seen) onState?.(status);
        seen = status.status;
        if (seen === 'completed' || seen === 'failed') return status;
      } catch (error) {
        if (!(error instanceof ReelstateError) || !error.isTransient) throw error;
        longerMs = (error.retryAfterS ?? 0) * 1_000;
        if (performance.now() + longerMs - answeredMs > PATIENCE_MS) throw error;
      }
      await pause(Math.max(pauseMs, longerMs), signal);
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    }
  }

  /** The results of a completed job, a frame at a time as they arrive; memory does not grow with their number. */
  async *results(jobId: string, { signal }: Stoppable = {}): AsyncGenerator<FrameResult, void, undefined> {
    const items = new ResultItems();
    for await (const piece of this.#pieces(jobId, signal)) {
      for (const text of items.push(piece)) {
        const frame = parsed(text);
        if (!isFrameResult(frame)) throw strangeAnswer(200);
        yield frame;
      }
    }
    items.end();
  }

  /** The same as the text of the service's whole JSON document, in pieces. */
  resultsText(jobId: string, { signal }: Stoppable = {}): AsyncGenerator<string, void, undefined> {
    return this.#pieces(jobId, signal);
  }

  /** Gives a job up; resolves with its status. `job_conflict` when it is completed. */
  cancel(jobId: string, { signal }: Stoppable = {}): Promise<StatusAnswer> {
    return this.#get(`/video/cancel/${encodeURIComponent(jobId)}`, isStatus, signal, 'POST');
  }

  /** Deletes the video and the results of a job that has ended; `job_conflict` while it has not. Again does no harm. */
  deleteFiles(jobId: string, { signal }: Stoppable = {}): Promise<DeletionAnswer> {
    return this.#get(`/video/jobs/${encodeURIComponent(jobId)}`, isDeletion, signal, 'DELETE');
  }

  /** One page of jobs, the last accepted first. */
  page({ status, pipelineId, limit, cursor, signal }: PageOptions = {}): Promise<JobsAnswer> {
    const query = new URLSearchParams();
    if (status !== undefined) query.set('status', status);
    if (pipelineId !== undefined) query.set('pipeline_id', pipelineId);
    if (limit !== undefined) query.set('limit', String(limit));
    if (cursor !== undefined) query.set('cursor', cursor);
    return this.#get(`/video/jobs?${query.toString()}`, isJobs, signal);
  }

  /** All jobs, the last accepted first, a page at a time. */
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

  /** How a job got where it is. */
  transitions(jobId: string, { signal }: Stoppable = {}): Promise<TransitionsAnswer> {
    return this.#get(`/video/jobs/${encodeURIComponent(jobId)}/transitions`, isTransitions, signal);
  }

  machine(id: string, { signal }: Stoppable = {}): Promise<MachineAnswer> {
    return this.#get(`/machines/${encodeURIComponent(id)}?format=json`, isMachine, signal);
  }

  pipelines({ signal }: Stoppable = {}): Promise<PipelinesAnswer> {
    return this.#get('/pipelines', isPipelines, signal);
  }

  async #get<T>(
    path: string,
    isAnswer: (value: unknown) => value is T,
    signal: AbortSignal | undefined,
    method = 'GET',
  ): Promise<T> {
    return this.#read(await this.#open(path, signal, method), isAnswer, signal);
  }

  #open(path: string, signal: AbortSignal | undefined, method = 'GET'): Promise<Response> {
    const init = { method, headers: this.#headers, ...(signal === undefined ? {} : { signal }) };
    return this.#heard(signal, () => this.#request(this.#url + path, init));
  }

  /**
   * A redirect is refused: the service sends none, and a key must not follow one elsewhere. Node.js 20 moreover keeps a
   * whole request body in memory so that it could be sent once more after a redirect.
   */
  #request(address: string, init: RequestInit): Promise<Response> {
    return this.#ask(address, { ...init, redirect: 'error' });
  }

  async #heard(signal: AbortSignal | undefined, ask: () => Promise<Response>): Promise<Response> {
    let response: Response;
    try {
      response = await ask();
    } catch (cause) {
      throw this.#silence(cause, signal, `nothing answers at ${this.#url === '' ? 'this address' : this.#url}`);
    }
    if (response.ok) return response;
    const refusal = await refusalOf(response);
    signal?.throwIfAborted();
    throw refusal;
  }

  async #read<T>(
    response: Response,
    isAnswer: (value: unknown) => value is T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let text: string;
    try {
      text = await response.text();
    } catch (cause) {
      throw this.#silence(cause, signal, 'the connection broke in the middle of the answer');
    }
    const answer = parsed(text);
    if (!isAnswer(answer)) throw strangeAnswer(response.status);
    return answer;
  }

  async *#pieces(jobId: string, signal: AbortSignal | undefined): AsyncGenerator<string, void, undefined> {
    const { body } = await this.#open(`/video/results/${encodeURIComponent(jobId)}`, signal);
    if (body === null) throw strangeAnswer(200);
    const reader = body.getReader();
    const decoder = new TextDecoder('utf-8', { fatal: true });
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw this.#silence(cause, signal, 'the connection broke in the middle of the results');
        });
        if (done) break;
        yield decoder.decode(value, { stream: true });
      }
    } finally {
      // A reader that stops early closes the connection.
      await reader.cancel().catch(() => undefined);
    }
  }

  /** What is to be thrown when no answer came. */
  #silence(cause: unknown, signal: AbortSignal | undefined, detail: string): unknown {
    if (signal?.aborted === true) return signal.reason;
    return cause instanceof ReelstateError ? cause : new ReelstateError('unreachable', detail, { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function strangeAnswer(status: number): ReelstateError {
  return new ReelstateError('unexpected_answer', 'What answers is not Reelstate, or not of this version', { status });
}
