/** The one thread of a child process that decodes: a sampled frame for each pull. */
import { parentPort } from 'node:worker_threads';
import { decodeFrames, type DecodeSummary } from '../../pipeline/decode.ts';
import type { Frame } from '../../pipeline/frame.ts';
import { serviceErrorOf } from '../child-death.ts';
import { failureOf, type Failure, type OpenRequest } from '../protocol.ts';

export type DecodeOrder =
  | {
      readonly kind: 'open';
      readonly request: OpenRequest;
      /** One number shared with the main thread: frames decoded so far, sampled or not. */
      readonly decoded: Int32Array;
    }
  /** Asks for the next sampled frame; without meaning once the video has ended. */
  | { readonly kind: 'pull' };

/** A frame whose pixels can be handed to another thread without a copy. */
export type OwnFrame = Frame & { readonly rgb: Uint8Array<ArrayBuffer> };

export type DecodeNews =
  | { readonly kind: 'frame'; readonly frame: OwnFrame }
  /** A sampled frame with the very pixels of the one before it. */
  | { readonly kind: 'repeat'; readonly index: number; readonly timestampMs: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'failure'; readonly failure: Failure };

let frames: Generator<Frame, DecodeSummary> | undefined;
let previous: Frame | undefined;
let analyseRepeats = false;

parentPort?.on('message', (order: DecodeOrder) => {
  if (order.kind === 'open') open(order.request, order.decoded);
  else pull();
});

function open(request: OpenRequest, decoded: Int32Array): void {
  previous = undefined;
  analyseRepeats = request.analyseRepeats;
  frames = decodeFrames(request.filePath, {
    frameStride: request.frameStride,
    maxFrames: request.maxFrames,
    limits: request.limits,
    onDecoded: (count) => Atomics.store(decoded, 0, count),
  });
}

function pull(): void {
  if (frames === undefined) return;
  try {
    const next = frames.next();
    if (next.done === true) end({ kind: 'end' });
    else give(next.value);
  } catch (error) {
    end({ kind: 'failure', failure: failureOf(serviceErrorOf(error)) });
  }
}

function end(news: DecodeNews): void {
  frames = undefined;
  previous = undefined;
  tell(news);
}

function give(frame: Frame): void {
  const repeats = !analyseRepeats && previous !== undefined && samePixels(previous, frame);
  previous = frame;
  if (repeats) {
    tell({ kind: 'repeat', index: frame.index, timestampMs: frame.timestampMs });
    return;
  }
  // A copy goes, the original stays to be compared with the next one.
  const own = { ...frame, rgb: new Uint8Array(frame.rgb) };
  tell({ kind: 'frame', frame: own }, [own.rgb.buffer]);
}

function samePixels(a: Frame, b: Frame): boolean {
  return a.width === b.width && a.height === b.height && Buffer.compare(a.rgb, b.rgb) === 0;
}

function tell(news: DecodeNews, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(news, transfer);
}
