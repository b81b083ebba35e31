import type { FrameResult } from './responses.ts';

export interface CsvForm {
  /**
   * True: cells unchanged and no byte-order mark, for programs. Default false: for spreadsheets, which would evaluate
   * cells that begin like a formula, some also in full width, and text from a video may be anything.
   */
  readonly raw?: boolean;
}

const BYTE_ORDER_MARK = '\uFEFF';

export function csvHead({ raw = false }: CsvForm = {}): string {
  return `${raw ? '' : BYTE_ORDER_MARK}frame_index,timestamp_ms,kind,value,confidence,x,y,width,height\r\n`;
}

/** One row (RFC 4180) per detection and line of a frame. */
export function csvRows({ frame_index: index, result }: FrameResult, { raw = false }: CsvForm = {}): string {
  const value = (text: string): string => (raw ? text : text.replace(/^(?=[=+\-@＝＋－＠\t\r\n])/, "'"));
  const rows = [
    ...(result.detections ?? []).map(({ label, confidence, bbox }) => ['detection', value(label), confidence, ...bbox]),
    ...(result.lines ?? []).map(({ text, confidence, bbox }) => ['text', value(text), confidence, ...bbox]),
  ];
  return rows.map((row) => `${[index, result.timestamp_ms, ...row].map((cell) => csvCell(cell)).join()}\r\n`).join('');
}

function csvCell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
