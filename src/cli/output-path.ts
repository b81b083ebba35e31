import { extname, dirname, parse } from 'node:path';
import { ANALYSIS_FORMATS, type AnalysisFormat } from './analysis-text.ts';

const PLACEHOLDER = /\{(dir|subdir|name)\}/g;

/** True for a pattern that names a file for each video. */
export function isPattern(output: string): boolean {
  return output.search(PLACEHOLDER) !== -1;
}

/**
 * The path of a video's output. `{dir}` is the folder of the video, `{subdir}` what of that lies below the folder that
 * was given, `{name}` the video's name without its ending.
 */
export function outputPathOf(pattern: string, videoPath: string, subdir = '.'): string {
  const parts: Readonly<Record<string, string>> = { dir: dirname(videoPath), subdir, name: parse(videoPath).name };
  return pattern.replaceAll(PLACEHOLDER, (placeholder, name: string) => parts[name] ?? placeholder);
}

/** The format that the ending of a file name stands for; undefined for another ending. */
export function formatOfEnding(output: string): AnalysisFormat | undefined {
  return ANALYSIS_FORMATS.find((format) => extname(output).toLowerCase() === `.${format}`);
}
