import type { AnalysisOptions } from '../../client/analysis-options.ts';

export type Pace = 'second' | 'fifth' | 'frame';
export type Region = readonly [x: number, y: number, width: number, height: number];

/** The sampling as chosen by a person. */
export interface Sampling {
  readonly pace: Pace;
  /** As typed: `1:30`, `90`, or empty for the start and the end. */
  readonly start: string;
  readonly end: string;
  /** As fractions of the picture, 0 to 1; null for all of it. */
  readonly region: Region | null;
}
export const USUAL_SAMPLING: Sampling = { pace: 'second', start: '', end: '', region: null };

export const PACES: readonly { readonly pace: Pace; readonly words: string; readonly everyMs: number | null }[] = [
  { pace: 'second', words: 'Once a second', everyMs: 1_000 },
  { pace: 'fifth', words: '5 times a second', everyMs: 200 },
  { pace: 'frame', words: 'Every frame', everyMs: null },
];

/** Assumed frames per second of a video before it is decoded. */
const USUAL_FRAME_RATE = 25;

/** Parses a time (`90`, `1:30`, `1:02:03.5`) into milliseconds; null for an empty one, NaN for any other text. */
export function parseTime(text: string): number | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (!/^(?:\d+:){0,2}\d+(?:[.,]\d+)?$/.test(trimmed)) return Number.NaN;
  const parts = trimmed.replace(',', '.').split(':').map(Number);
  return Math.round(parts.reduce((sum, part) => sum * 60 + part, 0) * 1_000);
}

/** Returns the faults of a choice by field; empty without faults. */
export function samplingFaults({ start, end }: Sampling): { readonly start?: string; readonly end?: string } {
  const [from, to] = [parseTime(start), parseTime(end)];
  const words = 'Write minutes and seconds, such as 1:30.';
  if (Number.isNaN(from)) return { start: words };
  if (Number.isNaN(to)) return { end: words };
  return to !== null && to <= (from ?? 0) ? { end: 'The end must come after the start.' } : {};
}

/** Returns the options of a submission. */
export function analysisOptionsOf({ pace, start, end, region }: Sampling): AnalysisOptions {
  const everyMs = PACES.find((known) => known.pace === pace)?.everyMs ?? null;
  const [from, to] = [parseTime(start), parseTime(end)];
  return {
    ...(everyMs === null ? {} : { sampleEveryMs: everyMs }),
    ...(from === null ? {} : { fromMs: from }),
    ...(to === null ? {} : { toMs: to }),
    ...(region === null ? {} : { region: [...region] }),
  };
}

/** Returns the approximate number of analysed frames. */
export function framesOf(sampling: Sampling, durationMs: number): number {
  const from = parseTime(sampling.start) ?? 0;
  const to = Math.min(durationMs, parseTime(sampling.end) ?? durationMs);
  const everyMs = PACES.find(({ pace }) => pace === sampling.pace)?.everyMs ?? 1_000 / USUAL_FRAME_RATE;
  return Number.isNaN(to - from) ? 0 : Math.max(0, Math.ceil((to - from) / everyMs));
}
