import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, parse } from 'node:path';
import { z } from 'zod';
import { messageOf, ServiceError } from '../errors.ts';
import { jobOptionsSchema, mediaFactsSchema, type JobOptions } from '../job.ts';
import type { FileFacts } from './save-file.ts';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex');
const byteCount = z.int().min(0);
/** A file in the folder of the record. */
const siblingSchema = z.strictObject({
  file: z.string().regex(/^(?!\.{1,2}$)[^/\\\0]{1,255}$/, 'must be the name of a file in the same folder'),
  sha256: sha256Schema,
  bytes: byteCount,
});

/**
 * The input and the files of an analysis. Written last, so that results with a record are complete. The same video,
 * pipeline and options give the same bytes.
 */
export const analysisRecordSchema = z.strictObject({
  version: z.literal(1),
  /** Name of the video without its folder. */
  file_name: z.string().min(1).max(255),
  video: z.strictObject({ sha256: sha256Schema, bytes: byteCount }),
  pipeline_id: z.string().min(1).max(64),
  options: jobOptionsSchema.strict(),
  /** Null if unknown. */
  media: mediaFactsSchema.strict().nullable(),
  results: siblingSchema,
  segments: siblingSchema,
});
export type AnalysisRecord = z.infer<typeof analysisRecordSchema>;

/** Paths of the three documents of an analysis. */
export interface AnalysisPaths {
  readonly results: string;
  readonly segments: string;
  readonly record: string;
}

const RECORD_ENDING = '_analysis.json';

/** @param name of the video, without its extension */
export function analysisPaths(folder: string, name: string): AnalysisPaths {
  const path = (ending: string): string => join(folder, `${name}${ending}`);
  return { results: path('_results.json'), segments: path('_segments.json'), record: path(RECORD_ENDING) };
}

export function isRecordPath(path: string): boolean {
  return basename(path).endsWith(RECORD_ENDING);
}

/** Returns the name of a video without folder and extension. */
export function stemOf(videoPath: string): string {
  return parse(videoPath).name;
}

/** @throws ServiceError `invalid_record` if the file is not a record; rejects like `readFile` if it cannot be read */
export async function readRecord(path: string): Promise<AnalysisRecord> {
  const text = await readFile(path, 'utf8');
  try {
    return analysisRecordSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll(/\s*\n\s*/g, ' ') : messageOf(cause);
    throw new ServiceError('invalid_record', `${path} is not a record of an analysis: ${reason}`, { cause });
  }
}

/** The files named by a record. */
export function filesOf(recordPath: string, { results, segments }: AnalysisRecord): Omit<AnalysisPaths, 'record'> {
  const folder = dirname(recordPath);
  return { results: join(folder, results.file), segments: join(folder, segments.file) };
}

export async function hashFile(path: string, signal: AbortSignal): Promise<FileFacts> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** What determines the results. */
export interface Analysed {
  readonly video: FileFacts;
  readonly pipelineId: string;
  readonly options: JobOptions;
}

/** Returns true if a complete analysis of this content with this pipeline and these options exists. */
export async function isDone(paths: AnalysisPaths, { video, pipelineId, options }: Analysed): Promise<boolean> {
  const record = await readRecord(paths.record).catch(() => undefined);
  if (record === undefined || record.video.sha256 !== video.sha256 || record.pipeline_id !== pipelineId) return false;
  if (JSON.stringify(record.options) !== JSON.stringify(options)) return false;
  const files = filesOf(paths.record, record);
  const sizes = await Promise.all(
    [files.results, files.segments].map(async (path) => stat(path).catch(() => undefined)),
  );
  return sizes[0]?.size === record.results.bytes && sizes[1]?.size === record.segments.bytes;
}
