/**
 * What a child process and the service say to each other. The service asks and the child answers, one question at a time:
 *
 * 1. `pid()` → the child's process id;
 * 2. `start(StartRequest)` → {@link StartReply}, once its threads run and their models are loaded;
 * 3. for each job `open(OpenRequest)` → nothing, then `next()` → {@link Reply} until it is done or an error comes.
 *
 * Asking for the next batch acknowledges the last one; the child decodes only so far ahead of that.
 */
import { z } from 'zod';
import { FAILURE_CODES, type ErrorCode } from '../errors.ts';
import { frameResultSchema } from '../job.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { VideoLimits } from '../pipeline/limits.ts';

export interface StartRequest {
  /** Number of inference threads. */
  readonly threads: number;
  /** Folder of the models that users brought; undefined: none. */
  readonly modelsFolder: string | undefined;
  /** Pipelines whose models are loaded before the first job. */
  readonly warmUp: readonly PipelineDefinition[];
}

export const startReplySchema = z.object({
  /** What the child tried to set for itself and could not; it works without. */
  notices: z.array(z.string()),
});
export type StartReply = z.infer<typeof startReplySchema>;

export interface OpenRequest {
  readonly definition: PipelineDefinition;
  readonly filePath: string;
  readonly frameStride: number;
  /** Undefined: all. */
  readonly maxFrames: number | undefined;
  readonly limits: VideoLimits;
  /** False: a frame whose pixels equal those of the sampled frame before it gets that one's result. */
  readonly analyseRepeats: boolean;
}

export const replySchema = z.object({
  /** Frames decoded so far, sampled or not. */
  decoded: z.int().min(0),
  /** In frame order; empty when there was none within a second. */
  frames: z.array(frameResultSchema),
  /** These were the last. */
  done: z.boolean(),
});
export type Reply = z.infer<typeof replySchema>;

/** A `ServiceError` on its way from thread to thread. From process to process it is an error with the same fields. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export function failureOf({ code, message, retryable }: Failure): Failure {
  return { code, message, retryable };
}

export const failureSchema = z.object({
  /** A code with which no job can fail means a fault of ours here. */
  code: z.enum(FAILURE_CODES).catch('internal'),
  message: z.string(),
  retryable: z.boolean(),
});
