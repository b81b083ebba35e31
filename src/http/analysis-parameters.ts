import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { jobOptionsSchema, regionSchema, type JobOptions, type Region } from '../job.ts';
import { wholeNumber } from './parameters.ts';

export const regionText = z.string().regex(/^\d*\.?\d+(?:,\d*\.?\d+){3}$/, 'must be four numbers: x,y,width,height');

/** Options of the analysis, as query parameters or form fields. */
export const ANALYSIS_PARAMETERS = {
  frame_stride: wholeNumber(1).optional().describe('Analyse every n-th decoded frame; default 1'),
  max_frames: wholeNumber(1).optional().describe('Maximum number of analysed frames; default all'),
  sample_every_ms: wholeNumber(1)
    .optional()
    .describe(
      'Analyse the first frame at or after each multiple of this time, in milliseconds; excludes `frame_stride`',
    ),
  from_ms: wholeNumber(0).optional().describe('Only frames at or after this time, in milliseconds'),
  to_ms: wholeNumber(1).optional().describe('Only frames before this time, in milliseconds; above `from_ms`'),
  keyframes_only: z
    .enum(['true', 'false'], 'must be true or false')
    .optional()
    .describe('`true`: decode and analyse only key frames, which is many times faster'),
  region: regionText
    .optional()
    .describe(
      '`x,y,width,height` as fractions of the displayed frame, 0 to 1: analyse only these pixels; boxes stay in pixels of the frame',
    ),
} as const;

const analysisParametersSchema = z.object(ANALYSIS_PARAMETERS);
export type AnalysisParameters = z.infer<typeof analysisParametersSchema>;

/**
 * Returns the options of a job with these parameters.
 * @throws ServiceError `invalid_request` for parameters that exclude each other
 */
export function jobOptionsOf(parameters: AnalysisParameters): JobOptions {
  requireCompatible(parameters);
  const { keyframes_only: keyframesOnly, region, ...others } = parameters;
  return jobOptionsSchema.parse({
    ...others,
    // Defaults are omitted, so that equal jobs have equal options.
    ...(keyframesOnly === 'true' && { keyframes_only: true }),
    ...(region !== undefined && { region: regionOf(region) }),
  });
}

/**
 * Returns the options of a rerun: those of the original job, with the given parameters replaced.
 * @throws ServiceError `invalid_request` for options that exclude each other
 */
export function rerunOptionsOf(of: JobOptions, parameters: AnalysisParameters): JobOptions {
  const { region, frame_stride: stride, sample_every_ms: everyMs, keyframes_only: isKeyframesOnly, ...kept } = of;
  // They exclude each other, so a given one replaces either.
  const isRateGiven = parameters.frame_stride !== undefined || parameters.sample_every_ms !== undefined;
  const rate = everyMs === undefined ? { frame_stride: stride } : { sample_every_ms: everyMs };
  return jobOptionsOf({
    ...kept,
    ...(!isRateGiven && rate),
    ...(region !== undefined && { region: region.join(',') }),
    ...(isKeyframesOnly === true && { keyframes_only: 'true' }),
    ...parameters,
  });
}

/** Throws `invalid_request` for parameters that exclude each other or a region that leaves the frame. */
export function requireCompatible({ frame_stride, sample_every_ms, from_ms, to_ms, region }: AnalysisParameters): void {
  if (region !== undefined) regionOf(region);
  if (frame_stride !== undefined && sample_every_ms !== undefined) {
    throw new ServiceError('invalid_request', 'frame_stride and sample_every_ms exclude each other: give one of them');
  }
  if (from_ms !== undefined && to_ms !== undefined && to_ms <= from_ms) {
    throw new ServiceError('invalid_request', `to_ms must be above from_ms, which is ${from_ms}`);
  }
}

/** Throws `invalid_request` for a region that leaves the frame. */
export function regionOf(text: string): Region {
  const parsed = regionSchema.safeParse(text.split(',').map(Number));
  if (parsed.success) return parsed.data;
  const [fault] = parsed.error.issues;
  const reason = fault?.code === 'custom' ? fault.message : 'must be four numbers from 0 to 1';
  throw new ServiceError('invalid_request', `region ${reason}: x,y,width,height`, { cause: parsed.error });
}
