import { extname, dirname, parse } from 'node:path';
import { ANALYSIS_FORMATS, type AnalysisFormat } from './analysis-text.ts';

const PLACEHOLDER = /\{(dir|subdir|name)\}/g;

/** Returns true for a pattern that names a file for each video. */
export function isPattern(output: string): boolean {
  return output.search(PLACEHOLDER) !== -1;
}

/**
 * Returns the path of a video's output. `{dir}` is the folder of the video, `{subdir}` its part below the given folder,
 * `{name}` the name of the video without extension.
 */
export function outputPathOf(pattern: string, videoPath: string, subdir = '.'): string {
  const parts: Readonly<Record<string, string>> = { dir: dirname(videoPath), subdir, name: parse(videoPath).name };
  return pattern.replaceAll(PLACEHOLDER, (placeholder, name: string) => parts[name] ?? placeholder);
}

/** Returns the format of a file extension; undefined for an unknown one. */
export function formatOfEnding(output: string): AnalysisFormat | undefined {
  return ANALYSIS_FORMATS.find((format) => extname(output).toLowerCase() === `.${format}`);
}
