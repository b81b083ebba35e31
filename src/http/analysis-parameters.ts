import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { jobOptionsSchema, regionSchema, type JobOptions, type Region } from '../job.ts';
import { wholeNumber } from './parameters.ts';

export const regionText = z.string().regex(/^\d*\.?\d+(?:,\d*\.?\d+){3}$/, 'must be four numbers: x,y,width,height');

/** How a video is analysed, as query parameters or form fields. */
export const ANALYSIS_PARAMETERS = {
  frame_stride: wholeNumber(1).optional().describe('Every n-th decoded frame is analysed; 1 when absent'),
  max_frames: wholeNumber(1).optional().describe('At most so many frames are analysed; all when absent'),
  sample_every_ms: wholeNumber(1)
    .optional()
    .describe('The first frame at or after each multiple of so many milliseconds is analysed; excludes `frame_stride`'),
  from_ms: wholeNumber(0).optional().describe('Only frames shown at or after this time, in milliseconds'),
  to_ms: wholeNumber(1).optional().describe('Only frames shown before this time, in milliseconds; above `from_ms`'),
  keyframes_only: z
    .enum(['true', 'false'], 'must be true or false')
    .optional()
    .describe('`true`: only key frames are decoded and analysed, which is many times faster'),
  region: regionText
    .optional()
    .describe(
      '`x,y,width,height` in parts of the displayed frame, 0 to 1: only these pixels are analysed; boxes stay in pixels of the frame',
    ),
} as const;

const analysisParametersSchema = z.object(ANALYSIS_PARAMETERS);
export type AnalysisParameters = z.infer<typeof analysisParametersSchema>;

/**
 * The options of a job with these parameters.
 * @throws ServiceError `invalid_request` for parameters that exclude each other
 */
export function jobOptionsOf(parameters: AnalysisParameters): JobOptions {
  requireCompatible(parameters);
  const { keyframes_only: keyframesOnly, region, ...others } = parameters;
  return jobOptionsSchema.parse({
    ...others,
    // What stands for the default is left out, so that jobs that do the same have the same options.
    ...(keyframesOnly === 'true' && { keyframes_only: true }),
    ...(region !== undefined && { region: regionOf(region) }),
  });
}

/** Throws `invalid_request` for parameters that exclude each other, and a region that leaves the frame. */
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
