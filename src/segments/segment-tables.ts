import type { Listed, Segment } from './segment.ts';

/** Segments as text for people and as a table for spreadsheets. */

const BYTE_ORDER_MARK = '\uFEFF';
const COLUMNS = [
  'kind',
  'start_ms',
  'end_ms',
  'text',
  'confidence',
  'x',
  'y',
  'width',
  'height',
  'frames',
  'max_count',
];

/** One segment per line: `3:45.2–4:10.0  Dijkstra's algorithm`. */
export async function* plainText(segments: Listed<Segment>): AsyncGenerator<string> {
  for await (const segment of segments) {
    const text = nameOf(segment).replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' / ');
    const count = segment.kind === 'object' && segment.max_count > 1 ? ` (${segment.max_count})` : '';
    yield `${clock(segment.start_ms)}–${clock(segment.end_ms)}  ${text}${count}\n`;
  }
}

/** CSV for spreadsheets: UTF-8 with a byte-order mark, CR LF, no cell that looks like a formula. */
export async function* csvText(segments: Listed<Segment>): AsyncGenerator<string> {
  yield `${BYTE_ORDER_MARK}${[...COLUMNS, 'track_id'].join()}\r\n`;
  for await (const segment of segments) yield `${cellsOf(segment).map(csvCell).join()}\r\n`;
}

function cellsOf(segment: Segment): readonly (string | number)[] {
  const beginning = [segment.kind, segment.start_ms, segment.end_ms, textCell(nameOf(segment))];
  if (segment.kind === 'scene') return [...beginning, '', '', '', '', '', '', '', ''];
  const { confidence, bbox, frames } = segment;
  const counts = segment.kind === 'object' ? [segment.max_count, segment.track_id ?? ''] : ['', ''];
  return [...beginning, confidence, ...bbox, frames, ...counts];
}

function nameOf(segment: Segment): string {
  return segment.kind === 'object' ? segment.label : segment.text;
}

/**
 * Spreadsheets evaluate cells with this start, some also in full width, and text from a video may be anything.
 */
function textCell(text: string): string {
  return /^[=+\-@＝＋－＠\t\r\n]/.test(text) ? `'${text}` : text;
}

function csvCell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function clock(ms: number): string {
  const tenths = Math.round(ms / 100);
  const [minutes, seconds] = [Math.floor(tenths / 600), (tenths % 600) / 10];
  const hours = Math.floor(minutes / 60);
  const rest = hours === 0 ? String(minutes) : `${hours}:${String(minutes % 60).padStart(2, '0')}`;
  return `${rest}:${seconds.toFixed(1).padStart(4, '0')}`;
}
