/** The decode thread of a child process: emits one sampled frame per pull. */
import { parentPort } from 'node:worker_threads';
import { createHash } from 'node:crypto';
import type { MediaFacts, Region } from '../../job.ts';
import { decodeSamples, type DecodeSummary, type SampledFrame } from '../../pipeline/decode.ts';
import { partsOf, type FramePart, type FrameParts } from '../../pipeline/frame-parts.ts';
import { encodePictures, type EncodedPicture } from '../../pipeline/pictures.ts';
import { serviceErrorOf } from '../child-errors.ts';
import { failureOf, type Failure, type LookRequest, type OpenRequest } from '../protocol.ts';
import { buffersOf } from './thread.ts';

export type DecodeCommand =
  | {
      readonly kind: 'open';
      readonly request: OpenRequest;
      /** Counter shared with the main thread; it rises while the decoder works. */
      readonly decoded: Int32Array;
    }
  | {
      readonly kind: 'look';
      readonly request: LookRequest;
      readonly decoded: Int32Array;
    }
  /** Requests the next sampled frame or picture. Ignored after the end of the video. */
  | { readonly kind: 'pull' };

export type DecodeEvent =
  | {
      readonly kind: 'frame';
      readonly frame: FrameParts;
      /** Bytes of the whole picture, even if only small parts are analysed. */
      readonly frameBytes: number;
    }
  /** A sampled frame whose analysed part equals that of the previous one. */
  | { readonly kind: 'repeat'; readonly index: number; readonly timestampMs: number }
  | { readonly kind: 'picture'; readonly picture: EncodedPicture }
  | { readonly kind: 'end'; readonly media?: MediaFacts }
  | { readonly kind: 'failure'; readonly failure: Failure };

let frames: Generator<SampledFrame, DecodeSummary> | undefined;
let pictures: Generator<EncodedPicture, void> | undefined;
let regions: readonly Region[] = [];
/** Digest of the parts of the last emitted frame; undefined if repeats are analysed. */
let previous: string | undefined;
let analyseRepeats = false;

parentPort?.on('message', (command: DecodeCommand) => {
  if (command.kind === 'open') open(command.request, command.decoded);
  else if (command.kind === 'look') look(command.request, command.decoded);
  else pull();
});

function open(request: OpenRequest, decoded: Int32Array): void {
  regions = request.regions;
  previous = undefined;
  analyseRepeats = request.analyseRepeats;
  frames = decodeSamples(request.filePath, {
    ...request.sampling,
    limits: request.limits,
    extraDecoders: request.extraDecoders,
    convertRepeats: request.analyseRepeats,
    onProgress: (steps) => Atomics.store(decoded, 0, steps),
  });
}

function look({ filePath, wish, limits, extraDecoders }: LookRequest, decoded: Int32Array): void {
  const onProgress = (steps: number): void => void Atomics.store(decoded, 0, steps);
  pictures = encodePictures(filePath, wish, { limits, extraDecoders, onProgress });
}

function pull(): void {
  try {
    if (pictures !== undefined) pullPicture(pictures);
    else if (frames !== undefined) pullFrame(frames);
  } catch (error) {
    end({ kind: 'failure', failure: failureOf(serviceErrorOf(error)) });
  }
}

function pullFrame(samples: Generator<SampledFrame, DecodeSummary>): void {
  const next = samples.next();
  if (next.done === true) end({ kind: 'end', media: next.value.media });
  else emit(next.value);
}

function pullPicture(made: Generator<EncodedPicture, void>): void {
  const next = made.next();
  if (next.done === true) end({ kind: 'end' });
  else post({ kind: 'picture', picture: next.value }, [next.value.bytes.buffer]);
}

function end(event: DecodeEvent): void {
  frames = undefined;
  pictures = undefined;
  post(event);
}

function emit({ index, timestampMs, picture }: SampledFrame): void {
  if (picture === undefined) {
    post({ kind: 'repeat', index, timestampMs });
    return;
  }
  const parts = partsOf(picture, regions);
  if (regions.length > 0 && !analyseRepeats) {
    const digest = digestOf(parts);
    if (digest === previous) {
      post({ kind: 'repeat', index, timestampMs });
      return;
    }
    previous = digest;
  }
  const frame = { index, timestampMs, parts };
  post({ kind: 'frame', frame, frameBytes: picture.rgb.byteLength }, buffersOf(frame));
}

/** Frames that differ may have the same pixels in the regions. */
function digestOf(parts: readonly FramePart[]): string {
  const hash = createHash('sha256');
  for (const { width, height, rgb } of parts) hash.update(`${width}x${height} `).update(rgb);
  return hash.digest('base64');
}

function post(event: DecodeEvent, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(event, transfer);
}
