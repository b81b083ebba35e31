import type { Command } from 'commander';
import { extname, dirname, parse, resolve } from 'node:path';
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

/** Ends the command with a usage error if two videos have the same output, or if an output would replace a video. */
export function checkOutputs(
  tasks: readonly { readonly path: string; readonly output: string | undefined }[],
  command: Command,
): void {
  const videos = new Map(tasks.map(({ path }) => [resolve(path), path]));
  const outputs = new Map<string, string>();
  for (const { path, output } of tasks) {
    if (output === undefined) continue;
    const target = resolve(output);
    const other = outputs.get(target);
    if (other !== undefined) command.error(`error: ${other} and ${path} have the same output ${output}`);
    const replaced = videos.get(target);
    if (replaced !== undefined) command.error(`error: the output of ${path} would replace the video ${replaced}`);
    outputs.set(target, path);
  }
}
