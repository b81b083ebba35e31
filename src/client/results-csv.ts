import type { FrameResult } from './responses.ts';

export const CSV_HEAD = 'frame_index,timestamp_ms,kind,value,confidence,x,y,width,height\r\n';

/** One row (RFC 4180) for each detection and line of a frame. */
export function csvRows({ frame_index: index, result }: FrameResult): string {
  const rows = [
    ...(result.detections ?? []).map(({ label, confidence, bbox }) => ['detection', label, confidence, ...bbox]),
    ...(result.lines ?? []).map(({ text, confidence, bbox }) => ['text', text, confidence, ...bbox]),
  ];
  return rows.map((row) => `${[index, result.timestamp_ms, ...row].map((cell) => csvCell(cell)).join()}\r\n`).join('');
}

function csvCell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
