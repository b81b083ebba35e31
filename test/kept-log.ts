import { pino } from 'pino';
import { z } from 'zod';
import type { Log } from '../src/log.ts';

type Line = Readonly<Record<string, unknown>>;

/** A log that keeps its parsed lines without time; `onLine` is called for each. */
export function keptLog(onLine: (line: Line) => void = () => {}): { readonly log: Log; readonly lines: Line[] } {
  const lines: Line[] = [];
  const write = (text: string): void => {
    const line = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    lines.push(line);
    onLine(line);
  };
  const formatters = { level: (level: string) => ({ level }) };
  return { log: pino({ base: null, timestamp: false, formatters }, { write }), lines };
}
