import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { later, storeAnalysis } from '../../src/analysis/store-analysis.ts';
import type { FrameResult, MediaFacts } from '../../src/job.ts';
import { analysisPaths, type AnalysisPaths, type AnalysisRecord } from '../../src/local/analysis-record.ts';
import { SummingSaver } from '../../src/local/save-file.ts';

const MEDIA: MediaFacts = {
  width: 320,
  height: 180,
  duration_ms: 1_000,
  frame_rate: 5,
  codec: 'h264',
  frames_decoded: 5,
  frames_analysed: 5,
};

/** Five frames with a text. */
export function framesWith(text: string): readonly FrameResult[] {
  return [0, 1, 2, 3, 4].map((index) => ({
    frame_index: index,
    result: { timestamp_ms: index * 200, text, lines: [{ text, confidence: 0.99, bbox: [10, 20, 100, 30] }] },
  }));
}

/** Writes the files of `analyse` for a video with this name and text. */
export async function makeAnalysis(
  folder: string,
  name: string,
  frames = framesWith(name),
  given: Partial<AnalysisRecord> = {},
): Promise<AnalysisPaths> {
  await mkdir(folder, { recursive: true });
  const paths = analysisPaths(folder, name);
  const saver = new SummingSaver(undefined);
  async function* all(): AsyncGenerator<FrameResult, MediaFacts> {
    yield* later(frames);
    return MEDIA;
  }
  await storeAnalysis(all(), {
    storage: saver,
    resultsPath: paths.results,
    segmentsPath: paths.segments,
    maxResultsBytes: 1_000_000,
    signal: new AbortController().signal,
  });
  const record: AnalysisRecord = {
    version: 1,
    file_name: `${name}.mp4`,
    video: { sha256: createHash('sha256').update(name).digest('hex'), bytes: 1_000 },
    pipeline_id: 'ocr_only',
    options: { frame_stride: 1 },
    media: MEDIA,
    results: { file: `${name}_results.json`, ...saver.factsOf(paths.results) },
    segments: { file: `${name}_segments.json`, ...saver.factsOf(paths.segments) },
    ...given,
  };
  await writeFile(paths.record, JSON.stringify(record));
  return paths;
}

/** Changes the stored results and updates the record. */
export async function forge({ results, record }: AnalysisPaths, change: (text: string) => string): Promise<void> {
  const text = change(await readFile(results, 'utf8'));
  await writeFile(results, text);
  const told: AnalysisRecord = JSON.parse(await readFile(record, 'utf8'));
  const facts = { sha256: createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) };
  await writeFile(record, JSON.stringify({ ...told, results: { ...told.results, ...facts } }));
}
