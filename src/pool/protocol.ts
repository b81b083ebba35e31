/**
 * Messages between the service and a child process. The child sends a greeting when it listens. Then the service sends
 * requests, one at a time:
 * 1. `start`: a {@link StartReply} when its threads run, so that their unused mapped memory can be measured;
 * 2. `warm`: an empty response when their models are loaded;
 * 3. for each job `open` with an empty response, then `next` with a {@link Reply} until the job is done or fails; for
 *   pictures of a video `look` with an empty response, then `nextPictures` with a {@link LookReply} likewise.
 * A request for the next batch acknowledges the last one; the child decodes only a bounded number of frames ahead.
 */
import { z } from 'zod';
import { FAILURE_CODES, type ErrorCode } from '../errors.ts';
import { frameResultSchema, mediaFactsSchema, regionSchema } from '../job.ts';
import { pipelineDefinitionSchema } from '../pipeline/definition.ts';
import { videoLimitsSchema } from '../pipeline/limits.ts';
import { encodedPictureSchema, pictureWishSchema } from '../pipeline/pictures.ts';
import { samplingSchema } from '../pipeline/sampling.ts';

const startRequestSchema = z
  .object({
    /** Number of inference threads; 0 for a child that only creates pictures. */
    threads: z.int().min(0),
    /** Folder of added models; absent: none. */
    modelsFolder: z.string().optional(),
  })
  .readonly();
export type StartRequest = z.infer<typeof startRequestSchema>;

export const startReplySchema = z.object({
  /** Version of FFmpeg. */
  ffmpeg: z.string(),
});
export type StartReply = z.infer<typeof startReplySchema>;

const warmRequestSchema = z
  .object({
    /** Pipelines whose models are loaded before the first job. */
    warmUp: z.array(pipelineDefinitionSchema).readonly(),
  })
  .readonly();
export type WarmRequest = z.infer<typeof warmRequestSchema>;

const openRequestSchema = z
  .object({
    definition: pipelineDefinitionSchema,
    filePath: z.string(),
    sampling: samplingSchema,
    /** Analysed parts of each frame; none: all of it. */
    regions: z.array(regionSchema).readonly(),
    limits: videoLimitsSchema,
    /** Additional decoders. */
    extraDecoders: z.array(z.string()).readonly(),
    /** False: a frame with the same pixels as the previous sampled frame gets its result. */
    analyseRepeats: z.boolean(),
    /** Memory limit of the child, which determines how many frames are analysed at once. */
    memoryBytes: z.int().min(0),
    /** True: only one frame at a time has pixels, in decoding or in analysis. */
    oneFrameAtATime: z.boolean(),
  })
  .readonly();
export type OpenRequest = z.infer<typeof openRequestSchema>;

const lookRequestSchema = z
  .object({
    filePath: z.string(),
    wish: pictureWishSchema,
    limits: videoLimitsSchema,
    extraDecoders: z.array(z.string()).readonly(),
  })
  .readonly();
export type LookRequest = z.infer<typeof lookRequestSchema>;

export const questionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), request: startRequestSchema }),
  z.object({ kind: z.literal('warm'), request: warmRequestSchema }),
  z.object({ kind: z.literal('open'), request: openRequestSchema }),
  z.object({ kind: z.literal('next') }),
  z.object({ kind: z.literal('look'), request: lookRequestSchema }),
  z.object({ kind: z.literal('nextPictures') }),
]);
export type Question = z.infer<typeof questionSchema>;

export const replySchema = z.object({
  /** Number of read and decoded packets, which grows while the decoder works. */
  decoded: z.int().min(0),
  /** In frame order; empty if there was none within a second. */
  frames: z.array(frameResultSchema),
  /** True: these were the last. */
  done: z.boolean(),
  /** Facts about the video, in the last reply. */
  media: mediaFactsSchema.optional(),
});
export type Reply = z.infer<typeof replySchema>;

export const lookReplySchema = z.object({
  /** As in {@link Reply}. */
  decoded: z.int().min(0),
  /** In the order of their times; empty if there were none within a second. */
  pictures: z.array(encodedPictureSchema),
  /** These were the last. */
  done: z.boolean(),
});
export type LookReply = z.infer<typeof lookReplySchema>;

/** A `ServiceError` between threads and processes. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export function failureOf({ code, message, retryable }: Failure): Failure {
  return { code, message, retryable };
}

export type Answer =
  | { readonly kind: 'listening' }
  | { readonly kind: 'answer'; readonly value: unknown }
  | { readonly kind: 'failure'; readonly failure: Failure };

/** Characters of a child's message that are kept, because it is stored with the job. */
const MESSAGE_CHARACTERS = 4096;

/** Children are not trusted: an {@link Answer}, whose `value` is parsed separately. */
export const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('listening') }),
  z.object({ kind: z.literal('answer'), value: z.unknown() }),
  z.object({
    kind: z.literal('failure'),
    failure: z.object({
      /** A code that a job or start cannot fail with is a defect of the service here. */
      code: z.enum([...FAILURE_CODES, 'invalid_model', 'invalid_pipeline']).catch('internal'),
      message: z.string().transform((text) => text.slice(0, MESSAGE_CHARACTERS)),
      retryable: z.boolean(),
    }),
  }),
]);
