import type { FrameResult, SegmentKind } from '../client/responses.ts';
import type { ReelstateClient } from '../client/reelstate-client.ts';
import { csvHead, csvRows, type CsvForm } from '../client/results-csv.ts';
import { formatTimecode } from '../web/duration.ts';
import { printable } from './printable.ts';

export const RESULT_FORMATS = ['json', 'csv', 'table', 'srt', 'vtt', 'txt'] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];
/** Kinds of segments. */
export const SEGMENT_KINDS = ['text', 'objects', 'scenes'] as const;

export interface ResultChoice extends CsvForm {
  readonly format: ResultFormat;
  /** Segments of this kind instead of frames. */
  readonly segments?: SegmentKind | undefined;
}

/** Returns true for segments; subtitles and text are always made from them. */
export function isOfSegments({ format, segments }: ResultChoice): boolean {
  return segments !== undefined || format === 'srt' || format === 'vtt' || format === 'txt';
}

/** Yields a job's results in a format, in pieces. Holds one frame at a time. */
export async function* resultsText(
  client: ReelstateClient,
  jobId: string,
  { format, segments, raw, signal }: ResultChoice & { readonly signal: AbortSignal },
): AsyncGenerator<string, void, undefined> {
  if (format !== 'table' && isOfSegments({ format, segments })) {
    yield* client.segmentsText(jobId, { format, kind: segments, signal });
    return;
  }
  if (format === 'json') {
    yield* client.resultsText(jobId, { signal });
    return;
  }
  const frames = client.results(jobId, { signal });
  // Before the head, so that a rejected request prints nothing.
  let { done, value } = await frames.next();
  const form = raw === true ? { raw } : {};
  yield format === 'csv' ? csvHead(form) : tableRow('frame', 'time', 'kind', 'sure', 'x, y, width, height', 'what');
  for (; done !== true; { done, value } = await frames.next()) {
    if (value !== undefined) yield format === 'csv' ? csvRows(value, form) : tableRows(value);
  }
}

function tableRows({ frame_index: index, result }: FrameResult): string {
  const found = [
    ...(result.detections ?? []).map(({ label, ...rest }) => ({ kind: 'object', what: label, ...rest })),
    ...(result.lines ?? []).map(({ text, ...rest }) => ({ kind: 'text', what: text, ...rest })),
  ];
  const time = formatTimecode(result.timestamp_ms);
  return found
    .map(({ kind, what, confidence, bbox }) => {
      const box = bbox.map((pixels) => Math.round(pixels)).join(', ');
      return tableRow(String(index), time, kind, confidence.toFixed(2), box, printable(what));
    })
    .join('');
}

function tableRow(frame: string, time: string, kind: string, confidence: string, box: string, what: string): string {
  const cells = [frame.padStart(8), time.padStart(11), kind.padEnd(6), confidence.padStart(4), box.padEnd(22), what];
  return `${cells.join('  ')}\n`;
}
