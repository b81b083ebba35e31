import type { FrameResult, MediaFacts } from '../../job.ts';
import { ServiceError } from '../../errors.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { FrameParts } from '../../pipeline/frame-parts.ts';
import { memoryOfThreads, threadsForFrames } from '../memory-plan.ts';
import { usedMemoryOf } from '../process-status.ts';
import type { Failure, OpenRequest, Reply } from '../protocol.ts';
import type { DecodeEvent, DecodeCommand } from './decode-thread.ts';
import type { InferenceEvent, InferenceCommand } from './inference-thread.ts';
import { buffersOf, type Thread } from './thread.ts';

export type DecodeThread = Thread<DecodeCommand, DecodeEvent>;
export type InferenceThread = Thread<InferenceCommand, InferenceEvent>;

/** Maximum number of results in one reply. */
const BATCH_FRAMES = 32;
/**
 * Maximum number of sampled frames ahead of the last reply, so that memory does not grow with the length of the video.
 */
const WINDOW_FRAMES = 2 * BATCH_FRAMES;
/** Frames with pixels in addition to those in analysis: one waits, one is being decoded. */
const SPARE_FRAMES = 2;
/** Maximum pixels of all of them, so that 8K frames (100 MB each) are processed one by one; four of 4K fit. */
const PIXELS_BYTES = 100 * 1024 * 1024;
/** Milliseconds after which an empty reply reports that the child is alive, and the progress of decoding. */
const HEARTBEAT_MS = 1000;

/** A sampled frame whose result has not been sent. */
interface PendingFrame {
  readonly index: number;
  readonly timestampMs: number;
  /** The earlier frame with the same pixels; absent: this frame is analysed itself. */
  readonly original?: PendingFrame;
  result?: Record<string, unknown>;
}

/**
 * One job inside the child. Decoding runs a bounded number of frames ahead, and each idle thread takes the next frame.
 */
export class Analysis {
  readonly #decode: DecodeThread;
  readonly #idle: InferenceThread[];
  readonly #threads: number;
  readonly #request: OpenRequest;
  /** Memory for the job beyond what the process already uses. */
  readonly #freeBytes: number;
  /** Number of threads that may work at once, by the size of the last frame. */
  #mostBusy = 1;
  readonly #decoded = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Decoded, not in analysis yet. */
  readonly #waiting: { readonly frame: FrameParts; readonly pending: PendingFrame }[] = [];
  /** In frame order. */
  readonly #pending: PendingFrame[] = [];
  /** Results to be sent next. */
  readonly #ready: FrameResult[] = [];
  #lastAnalysed: PendingFrame | undefined;
  /** Number of frames requested from the decode thread and not received yet. */
  #pulls = 0;
  /** Size of the last frame; while it is unknown, one frame is requested. */
  #frameBytes = Infinity;
  #decodingEnded = false;
  #failure: Failure | undefined;
  #media: MediaFacts | undefined;
  #wake: () => void = () => {};

  private constructor(decode: DecodeThread, inference: readonly InferenceThread[], request: OpenRequest) {
    this.#request = request;
    this.#freeBytes = request.memoryBytes - (usedMemoryOf(process.pid) || memoryOfThreads(inference.length));
    this.#decode = decode;
    this.#idle = [...inference];
    this.#threads = inference.length;
  }

  /** Prepares the threads for the job, which use them exclusively, and starts decoding. */
  static async open(
    decode: DecodeThread,
    inference: readonly InferenceThread[],
    request: OpenRequest,
  ): Promise<Analysis> {
    await openPipeline(inference, request.definition);
    const analysis = new Analysis(decode, inference, request);
    decode.listen((event) => analysis.#onEvent(event));
    decode.post({ kind: 'open', request, decoded: analysis.#decoded });
    analysis.#pull();
    return analysis;
  }

  /**
   * Returns the available results as soon as there are some; empty after a second without. Rejects if the job failed.
   */
  async next(): Promise<Reply> {
    if (this.#ready.length === 0 && !this.#ended()) await this.#change();
    if (this.#failure !== undefined && this.#ended()) throw errorOf(this.#failure);
    const frames = this.#ready.splice(0, BATCH_FRAMES);
    this.#pull();
    const done = this.#ended() && this.#ready.length === 0 && this.#failure === undefined;
    const media = done ? this.#media : undefined;
    return { decoded: Atomics.load(this.#decoded, 0), frames, done, ...(media !== undefined && { media }) };
  }

  /** Resolves with true when no thread works on this job. */
  #ended(): boolean {
    return this.#decodingEnded && this.#waiting.length === 0 && this.#idle.length === this.#threads;
  }

  #busy(): number {
    return this.#threads - this.#idle.length;
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, HEARTBEAT_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #pull(): void {
    const fitting = Math.max(1, Math.floor(PIXELS_BYTES / this.#frameBytes));
    const wanted = this.#request.oneFrameAtATime ? 1 : this.#mostBusy + SPARE_FRAMES;
    const allowed = Math.min(wanted, fitting);
    for (;;) {
      const withPixels = this.#pulls + this.#waiting.length + this.#busy();
      const ahead = this.#pulls + this.#pending.length + this.#ready.length;
      if (this.#decodingEnded || withPixels >= allowed || ahead >= WINDOW_FRAMES) return;
      this.#pulls += 1;
      this.#decode.post({ kind: 'pull' });
    }
  }

  #onEvent(event: DecodeEvent): void {
    this.#pulls -= 1;
    if (event.kind === 'frame') {
      const pending = { index: event.frame.index, timestampMs: event.frame.timestampMs };
      this.#pending.push(pending);
      this.#lastAnalysed = pending;
      this.#frameBytes = event.frameBytes;
      this.#mostBusy = Math.min(
        this.#threads,
        threadsForFrames(event.frameBytes, event.frame.parts, this.#request.definition, this.#freeBytes),
      );
      this.#waiting.push({ frame: event.frame, pending });
    } else if (event.kind === 'repeat') {
      const { index, timestampMs } = event;
      this.#pending.push({ index, timestampMs, ...(this.#lastAnalysed && { original: this.#lastAnalysed }) });
    } else {
      this.#decodingEnded = true;
      if (event.kind === 'failure') this.#failure = event.failure;
      if (event.kind === 'end') this.#media = event.media;
    }
    this.#advance();
  }

  #analyse(thread: InferenceThread, frame: FrameParts, pending: PendingFrame): void {
    thread.listen((event) => {
      this.#idle.push(thread);
      if (event.kind === 'result') pending.result = event.result;
      if (event.kind === 'failure') {
        this.#failure = event.failure;
        this.#decodingEnded = true;
        this.#waiting.length = 0;
      }
      this.#advance();
    });
    thread.post({ kind: 'frame', frame }, buffersOf(frame));
  }

  #advance(): void {
    while (this.#waiting.length > 0 && this.#busy() < this.#mostBusy) {
      // The most recently used thread, so that others need no working memory.
      const thread = this.#idle.pop();
      if (thread === undefined) break;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#analyse(thread, next.frame, next.pending);
    }
    for (;;) {
      const first = this.#pending[0];
      const result = first?.result ?? first?.original?.result;
      if (first === undefined || result === undefined) break;
      this.#pending.shift();
      this.#ready.push({ frame_index: first.index, result: { timestamp_ms: first.timestampMs, ...result } });
    }
    this.#pull();
    if (this.#ready.length > 0 || this.#ended()) this.#wake();
  }
}

/** Prepares each thread for a pipeline and loads missing models. */
export async function openPipeline(
  inference: readonly InferenceThread[],
  definition: PipelineDefinition,
): Promise<void> {
  await Promise.all(
    inference.map(
      async (thread) =>
        new Promise<void>((resolve, reject) => {
          thread.listen((event) => (event.kind === 'failure' ? reject(errorOf(event.failure)) : resolve()));
          thread.post({ kind: 'open', definition });
        }),
    ),
  );
}

function errorOf({ code, message, retryable }: Failure): ServiceError {
  return new ServiceError(code, message, { retryable });
}
