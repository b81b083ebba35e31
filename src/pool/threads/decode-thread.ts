/** The one thread of a child process that decodes: a sampled frame for each pull. */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { decodeFrames, type DecodeSummary } from '../../pipeline/decode.ts';
import type { Frame } from '../../pipeline/frame.ts';
import { serviceErrorOf } from '../child-errors.ts';
import { failureOf, type Failure, type OpenRequest } from '../protocol.ts';
import { buffersOf } from './thread.ts';

export type DecodeOrder =
  | {
      readonly kind: 'open';
      readonly request: OpenRequest;
      /** One number shared with the main thread: frames decoded so far, sampled or not. */
      readonly decoded: Int32Array;
    }
  /** Asks for the next sampled frame; without meaning once the video has ended. */
  | { readonly kind: 'pull' };

export type DecodeNews =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** A sampled frame with the very pixels of the one before it. */
  | { readonly kind: 'repeat'; readonly index: number; readonly timestampMs: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'failure'; readonly failure: Failure };

let frames: Generator<Frame, DecodeSummary> | undefined;
/** Of the last frame given: its size and the digest of its pixels. */
let previous: string | undefined;
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
    extraDecoders: request.extraDecoders,
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
  const fingerprint = fingerprintOf(frame);
  if (fingerprint === previous && !analyseRepeats) {
    tell({ kind: 'repeat', index: frame.index, timestampMs: frame.timestampMs });
    return;
  }
  previous = fingerprint;
  tell({ kind: 'frame', frame }, buffersOf(frame));
}

/**
 * Frames with the same one have the same pixels: nobody knows two inputs with one SHA-256. Takes 4 ms at 1920 by 1080;
 * keeping a copy to compare with takes 2 and the memory of another frame or two, which at 8K is 200 MB.
 */
function fingerprintOf({ width, height, rgb }: Frame): string {
  return `${width}x${height} ${createHash('sha256').update(rgb).digest('base64')}`;
}

function tell(news: DecodeNews, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(news, transfer);
}
