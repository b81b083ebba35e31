import type { FrameResult, MediaFacts } from '../job.ts';
import { SegmentFinder } from '../segments/segment-finder.ts';
import { segmentsDocument } from '../segments/segments-document.ts';
import { thumbnailFrames, type SeenFrame } from './make-thumbnails.ts';
import { resultsDocument } from './results-document.ts';

/** Saves a file atomically. */
export interface FileSaver {
  /** @returns the stored path */
  saveFile(
    source: AsyncIterable<Uint8Array | string>,
    destPath: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<string>;
}

export interface AnalysisTarget {
  readonly storage: FileSaver;
  readonly resultsPath: string;
  readonly segmentsPath: string;
  /** Maximum size of the results in bytes. */
  readonly maxResultsBytes: number;
  readonly signal: AbortSignal;
  /** Called when a file is durable. */
  readonly onStored?: (what: 'results' | 'segments') => void;
}

export interface StoredAnalysis {
  /** Stored path of the results. */
  readonly outputPath: string;
  /** Undefined if unknown. */
  readonly media: MediaFacts | undefined;
  /** The frames with thumbnails. */
  readonly thumbnailFrames: readonly SeenFrame[];
}

/**
 * Stores the frames of a pipeline as they arrive, then the derived segments. Rejects with the errors of frames and
 * storage, and with `too_large`.
 */
export async function storeAnalysis(
  frames: AsyncIterable<FrameResult, MediaFacts | undefined>,
  { storage, resultsPath, segmentsPath, maxResultsBytes, signal, onStored }: AnalysisTarget,
): Promise<StoredAnalysis> {
  const finder = new SegmentFinder();
  let media: MediaFacts | undefined;
  let first: SeenFrame | undefined;
  // `for await` discards the return value of the frames.
  async function* kept(): AsyncGenerator<FrameResult> {
    media = yield* frames;
  }
  async function* watched(): AsyncGenerator<FrameResult> {
    for await (const frame of kept()) {
      finder.push(frame);
      first ??= { frameIndex: frame.frame_index, timestampMs: frame.result.timestamp_ms };
      yield frame;
    }
  }
  const outputPath = await storage.saveFile(resultsDocument(watched(), maxResultsBytes), resultsPath, { signal });
  onStored?.('results');
  const findings = finder.finish(media);
  await storage.saveFile(later(segmentsDocument(findings, media)), segmentsPath, { signal });
  onStored?.('segments');
  return { outputPath, media, thumbnailFrames: thumbnailFrames(first, findings.scenes) };
}

/** Yields the same items. */
export async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
