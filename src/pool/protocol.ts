/**
 * The messages between the service and a child process. The child greets the service once it listens. Then the service
 * asks and the child answers, one question at a time:
 *
 * 1. `start`: answered by nothing once its threads run, so that what they map without any use can be measured;
 * 2. `warm`: answered by nothing once their models are loaded;
 * 3. for each job `open`, answered by nothing, then `next`, answered by {@link Reply}, until it is done or fails;
 *    for pictures of a video `look`, answered by nothing, then `nextPictures`, answered by {@link LookReply}, likewise.
 *
 * Asking for the next batch acknowledges the last one; the child decodes only so far ahead of that.
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
    /** Number of inference threads; 0 for a child that makes pictures only. */
    threads: z.int().min(0),
    /** Folder of the models that users brought; absent: none. */
    modelsFolder: z.string().optional(),
  })
  .readonly();
export type StartRequest = z.infer<typeof startRequestSchema>;

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
    /** Parts of each frame that are analysed; none: the whole. */
    regions: z.array(regionSchema).readonly(),
    limits: videoLimitsSchema,
    /** Decoders that are allowed beside the usual ones. */
    extraDecoders: z.array(z.string()).readonly(),
    /** False: a frame whose pixels equal those of the sampled frame before it gets that one's result. */
    analyseRepeats: z.boolean(),
    /** What the child may use; as many frames are analysed at once as fit. */
    memoryBytes: z.int().min(0),
    /** True: one frame at a time has pixels, in decoding or in analysis. */
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
  /** Packets of the video that were read, and those that were decoded: it rises while the decoder works. */
  decoded: z.int().min(0),
  /** In frame order; empty when there was none within a second. */
  frames: z.array(frameResultSchema),
  /** These were the last. */
  done: z.boolean(),
  /** What was found out about the video, with the last reply. */
  media: mediaFactsSchema.optional(),
});
export type Reply = z.infer<typeof replySchema>;

export const lookReplySchema = z.object({
  /** As in {@link Reply}. */
  decoded: z.int().min(0),
  /** In the order of their times; empty when there was none within a second. */
  pictures: z.array(encodedPictureSchema),
  /** These were the last. */
  done: z.boolean(),
});
export type LookReply = z.infer<typeof lookReplySchema>;

/** A `ServiceError` on its way from thread to thread and from process to process. */
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

/** Characters of a child's message that are kept: it is stored with the job. */
const MESSAGE_CHARACTERS = 4096;

/** The service trusts no child: an {@link Answer}, whose `value` is parsed apart. */
export const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('listening') }),
  z.object({ kind: z.literal('answer'), value: z.unknown() }),
  z.object({
    kind: z.literal('failure'),
    failure: z.object({
      /** A code with which neither a job nor a start can fail means a fault of ours here. */
      code: z.enum([...FAILURE_CODES, 'invalid_model', 'invalid_pipeline']).catch('internal'),
      message: z.string().transform((text) => text.slice(0, MESSAGE_CHARACTERS)),
      retryable: z.boolean(),
    }),
  }),
]);
