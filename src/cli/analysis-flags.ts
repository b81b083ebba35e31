import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import type { AnalysisOptions } from '../client/analysis-options.ts';
import { jobOptionsSchema, type JobOptions } from '../job.ts';
import { wholeNumber } from './connection.ts';
import { samplingTime } from './duration.ts';

/** What to analyse. */
export interface AnalysisFlags extends AnalysisOptions {
  readonly pipeline: string;
  /** Milliseconds; an alias of `sampleEveryMs`. */
  readonly every?: number;
}

/** Adds the options that select frames and parts of them. */
export function addAnalysisFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--frame-stride <n>', 'analyse every n-th frame (default: every frame)').argParser(wholeNumber),
    )
    .addOption(new Option('--max-frames <n>', 'maximum number of frames (default: all)').argParser(wholeNumber))
    .addOption(
      new Option('--sample-every-ms <n>', 'analyse the first frame at or after each multiple of n milliseconds')
        .argParser(wholeNumber)
        .conflicts('frameStride'),
    )
    .addOption(
      new Option('--every <time>', 'the same, with a unit: 500ms, 1s or 1.5m')
        .argParser(samplingTime)
        .conflicts(['frameStride', 'sampleEveryMs']),
    )
    .addOption(new Option('--from-ms <n>', 'only frames shown at or after this time').argParser(time))
    .addOption(new Option('--to-ms <n>', 'only frames shown before this time').argParser(time))
    .option('--keyframes-only', 'decode and analyse only key frames: many times faster')
    .addOption(
      new Option('--region <x,y,width,height>', 'analyse only this part of each frame (numbers from 0 to 1)').argParser(
        regionOf,
      ),
    );
}

/** Returns the options for the client. */
export function analysisOptionsOf(flags: Omit<AnalysisFlags, 'pipeline'>): AnalysisOptions {
  const { frameStride, maxFrames, every, sampleEveryMs = every, fromMs, toMs, keyframesOnly, region } = flags;
  return { frameStride, maxFrames, sampleEveryMs, fromMs, toMs, keyframesOnly, region };
}

/** Returns the options of a job. Ends the command with a usage error if they contradict each other. */
export function jobOptionsOf(flags: AnalysisFlags, command: Command): JobOptions {
  const { fromMs, toMs, ...options } = analysisOptionsOf(flags);
  if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs) {
    command.error(`error: --to-ms must be above --from-ms, which is ${fromMs}`);
  }
  const parsed = jobOptionsSchema.safeParse({
    frame_stride: options.frameStride,
    max_frames: options.maxFrames,
    sample_every_ms: options.sampleEveryMs,
    from_ms: fromMs,
    to_ms: toMs,
    keyframes_only: options.keyframesOnly,
    region: options.region,
  });
  return parsed.data ?? command.error(`error: ${z.prettifyError(parsed.error ?? new z.ZodError([]))}`);
}

function time(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Not a whole number of milliseconds.');
  return Number(text);
}

function regionOf(text: string): readonly [number, number, number, number] {
  const [x, y, width, height, ...others] = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (isPart(x) && isPart(y) && isPart(width) && isPart(height) && others.length === 0) return [x, y, width, height];
  throw new InvalidArgumentError('Not four numbers from 0 to 1, separated by commas.');
}

function isPart(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= 1;
}
