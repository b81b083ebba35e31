import { z } from 'zod';

import { regionSchema } from '../job.ts';

const nameSchema = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/, 'a name is made of a-z, 0-9, _, . and -');

/** The source of every pipeline. An edge from it carries the frame. */
export const FRAME = 'frame';

/** A declared pipeline as plain JSON. Whether it is a valid graph is checked separately, against the tools. */
export const pipelineDefinitionSchema = z.strictObject({
  id: nameSchema,
  description: z.string().min(1),
  nodes: z
    .array(
      z.strictObject({
        id: nameSchema.refine((id) => id !== FRAME, 'the name frame is the source of every pipeline'),
        tool: z.string().min(1),
        params: z.record(z.string(), z.json()).default({}),
      }),
    )
    .min(1),
  /** The parts of each frame that are analysed separately; absent: the whole frame. */
  regions: z.array(regionSchema).min(1).max(16).optional(),
  /** Each carries the findings of `from` to `to`; `frame` as `from` carries the frame. */
  edges: z.array(z.strictObject({ from: z.string().min(1), to: z.string().min(1) })),
  /** The nodes whose findings form the frame's result, in the order of its keys. */
  outputs: z.array(z.string().min(1)).min(1),
});
export type PipelineDefinition = z.infer<typeof pipelineDefinitionSchema>;
export type PipelineNode = PipelineDefinition['nodes'][number];
