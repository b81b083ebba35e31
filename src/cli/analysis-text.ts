import { createReadStream } from 'node:fs';
import { storedFrames } from '../analysis/results-document.ts';
import { storedSegments } from '../analysis/stored-segments.ts';
import { csvHead, csvRows } from '../client/results-csv.ts';
import type { AnalysisPaths } from '../local/analysis-record.ts';
import { srtText, vttText } from '../segments/cue-text.ts';
import { plainText } from '../segments/segment-tables.ts';
import type { Scene } from '../segments/segment.ts';

export const ANALYSIS_FORMATS = ['json', 'srt', 'vtt', 'txt', 'csv'] as const;
export type AnalysisFormat = (typeof ANALYSIS_FORMATS)[number];

/** Yields a stored analysis in a format, like the service and `results`. */
export async function* analysisText(
  { results, segments }: Omit<AnalysisPaths, 'record'>,
  format: AnalysisFormat,
): AsyncGenerator<string, void, undefined> {
  if (format === 'json') {
    for await (const piece of createReadStream(results, { encoding: 'utf8' })) yield String(piece);
  } else if (format === 'csv') {
    yield csvHead();
    for await (const frame of storedFrames(results)) yield csvRows(frame);
  } else if (format === 'txt') yield* plainText(storedSegments(segments, 'text'));
  else yield* format === 'srt' ? srtText(scenesIn(segments)) : vttText(scenesIn(segments));
}

async function* scenesIn(path: string): AsyncGenerator<Scene> {
  for await (const segment of storedSegments(path, 'scenes')) if (segment.kind === 'scene') yield segment;
}
