/**
 * Glossary.
 *
 * - **job**: one video to be analysed by one pipeline, from its acceptance to its end.
 * - **attempt**: one try at a job's work, numbered from 1; the number is committed before the work starts.
 * - **pipeline**: a declared graph of tools, run once for each sampled frame.
 * - **frame**: one decoded picture, upright as a player shows it; indices count decoded frames from 0 in display order.
 * - **detection**: an object seen in a frame. **line**: a line of text read in a frame.
 * - **transition**: one step of a job's machine, committed with the row it changed.
 * - **revision**: the number of a job's last transition, from 1; guards every write.
 * - **snapshot**: the persisted state of a job's machine, plain JSON.
 */
import { z } from 'zod';
import { JOB_STATES } from '../machines/job.ts';

export const jobIdSchema = z.uuid().brand<'JobId'>();
/** A UUIDv7, so ids sort by the time of acceptance. */
export type JobId = z.infer<typeof jobIdSchema>;

export const jobStatusSchema = z.enum(JOB_STATES);
export type JobStatus = z.infer<typeof jobStatusSchema>;

const fraction = z.number().min(0).max(1);

/** `[x, y, width, height]` as fractions of the displayed frame, from its top left corner. */
export const regionSchema = z
  .tuple([fraction, fraction, fraction, fraction])
  .refine(([, , width, height]) => width > 0 && height > 0, 'must have a width and a height above 0')
  // Tolerance for sums such as 0.7 + 0.3, which exceed 1.
  .refine(([x, y, width, height]) => x + width <= 1 + 1e-9 && y + height <= 1 + 1e-9, 'must lie within 0 and 1');
export type Region = z.infer<typeof regionSchema>;

/**
 * Which frames of a video are analysed, and which part of them. Stored with the job, so that every attempt does the
 * same.
 */
export const jobOptionsSchema = z.object({
  /** Analyse every n-th decoded frame, beginning with frame 0. */
  frame_stride: z.int().min(1).default(1),
  /** Maximum number of analysed frames; absent: all. */
  max_frames: z.int().min(1).optional(),
  /** Analyse the first frame at or after each multiple of this time, in place of every n-th. */
  sample_every_ms: z.int().min(1).optional(),
  /** Of the selected frames, only those at or after this time in milliseconds; absent: from the first. */
  from_ms: z.int().min(0).optional(),
  /** Only those before this time in milliseconds; absent: to the last. */
  to_ms: z.int().min(1).optional(),
  /** Decode and select only key frames. */
  keyframes_only: z.boolean().optional(),
  /** Analyse only this part of each frame; absent: the part that the pipeline names, or all. */
  region: regionSchema.optional(),
});
export type JobOptions = z.infer<typeof jobOptionsSchema>;

/** The decoder's facts about a video; null if the file does not have them. */
export const mediaFactsSchema = z.object({
  width: z.int().nullable().describe('Width of the displayed frame in pixels'),
  height: z.int().nullable().describe('Height of the displayed frame in pixels'),
  duration_ms: z.number().nullable().describe('Length of the video in milliseconds'),
  frame_rate: z.number().nullable().describe('Average frames per second'),
  codec: z.string().nullable().describe('Name of the codec, such as `h264`, `hevc` or `av1`'),
  frames_decoded: z.int().nullable().describe('Number of decoded frames'),
  frames_analysed: z.int().nullable().describe('Number of frames with a result'),
});
export type MediaFacts = z.infer<typeof mediaFactsSchema>;

/** One row of `jobs`. Timestamps are ISO 8601 UTC. */
export interface Job {
  readonly jobId: JobId;
  readonly status: JobStatus;
  readonly pipelineId: string;
  readonly options: JobOptions;
  /** Cleaned name of the uploaded file; null if none was given or kept. */
  readonly fileName: string | null;
  /** Label given by the client; null if none. */
  readonly tag: string | null;
  /** Facts about the video; null until completed. */
  readonly media: MediaFacts | null;
  /** Storage path of the video, relative to the storage's base folder. */
  readonly inputPath: string;
  /** Storage path of the results; null until completed. */
  readonly outputPath: string | null;
  /** Null unless failed. */
  readonly errorCode: string | null;
  /** Null unless failed. */
  readonly errorMessage: string | null;
  /** Order of acceptance, from 1; assigned by the store. */
  readonly acceptedSeq: number;
  readonly revision: number;
  readonly attempt: number;
  readonly machineVersion: number;
  /** The persisted snapshot of the job machine, as JSON text. */
  readonly snapshot: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Time of the deletion of video and results; null while they are kept. */
  readonly expiredAt: string | null;
}

/** The columns of a job's status. */
export type JobSummary = Pick<Job, 'jobId' | 'status' | 'errorCode' | 'errorMessage' | 'createdAt' | 'updatedAt'>;

/** One row of `job_transitions`. */
export interface JobTransition {
  readonly jobId: JobId;
  /** From 1, without gaps; equals the revision after the transition. */
  readonly seq: number;
  readonly attempt: number;
  /** Null for the first. */
  readonly fromState: JobStatus | null;
  readonly event: string;
  readonly toState: JobStatus;
  /** The context of the machine after the transition, as JSON text. */
  readonly context: string;
  readonly occurredAt: string;
}

/** `[x, y, width, height]` in pixels from the top left of the displayed frame. */
export const boxSchema = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .describe('`[x, y, width, height]` in pixels from the top left of the displayed frame');
export type Box = z.infer<typeof boxSchema>;

const confidenceSchema = z.number().min(0).max(1);

export const detectionSchema = z.object({
  label: z.string().describe('Name of the object class'),
  confidence: confidenceSchema,
  bbox: boxSchema,
});
export type Detection = z.infer<typeof detectionSchema>;

export const textLineSchema = z.object({
  text: z.string(),
  confidence: confidenceSchema,
  bbox: boxSchema,
  polygon: z
    .array(z.tuple([z.number(), z.number()]))
    .length(4)
    .optional()
    .describe('Corners of a line that is not level, `[x, y]`, clockwise from the top left'),
  unsure: z
    .boolean()
    .optional()
    .describe('True when the line probably has letters that the recogniser does not know; absent otherwise'),
});
export type TextLine = z.infer<typeof textLineSchema>;

/** The findings of a pipeline in one frame. A key exists if the pipeline has a tool for it. */
export const frameResultSchema = z.object({
  frame_index: z.int().min(0).describe('Index of the decoded frame in display order, from 0'),
  result: z.looseObject({
    timestamp_ms: z.number().describe('Presentation time of the frame in milliseconds'),
    detections: z.array(detectionSchema).optional().describe('Detected objects; only from a pipeline that detects'),
    text: z
      .string()
      .optional()
      .describe('Text of all lines, one per line, from top to bottom; only from a pipeline that reads'),
    lines: z.array(textLineSchema).optional().describe('Lines of text; only from a pipeline that reads'),
  }),
});
export type FrameResult = z.infer<typeof frameResultSchema>;
