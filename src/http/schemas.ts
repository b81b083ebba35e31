import { z } from 'zod';
import { ANALYSIS_PARAMETERS } from './analysis-parameters.ts';
import { frameResultSchema, jobIdSchema, jobStatusSchema } from '../job.ts';

/** What is asked and answered over HTTP; the descriptions go into the API's documents. */

/** Query parameters or form fields of a submission, as text. */
export const submitParametersSchema = z.object({
  pipeline_id: z.string('is missing').min(1).describe('One of the pipelines listed by GET /pipelines'),
  ...ANALYSIS_PARAMETERS,
  tag: z
    .string()
    .regex(/^[^\p{Cc}]{1,255}$/u, 'must have 1 to 255 characters and no control characters')
    .optional()
    .describe('A label for this job, such as the name of a collection'),
});

export const submitResponseSchema = z.object({ job_id: jobIdSchema.describe('Id of the job') });
export type SubmitResponse = z.infer<typeof submitResponseSchema>;

export const statusResponseSchema = z.object({
  job_id: jobIdSchema,
  status: jobStatusSchema,
  progress: z
    .union([z.literal(0), z.literal(0.5), z.literal(1)])
    .describe('0 while pending, 0.5 while running, 1 when completed or failed'),
  created_at: z.iso.datetime().describe('When the job was accepted, UTC'),
  updated_at: z.iso.datetime().describe('When its state last changed, UTC'),
  error_message: z.string().optional().describe('Why the job failed, for people; only there when it failed'),
  error_code: z.string().optional().describe('Why the job failed, for programs; only there when it failed'),
});
export type StatusResponse = z.infer<typeof statusResponseSchema>;

export const resultsResponseSchema = z.object({
  job_id: jobIdSchema,
  results: z.array(frameResultSchema).describe('One for each analysed frame, in frame order'),
});

export const pipelinesResponseSchema = z.object({
  pipelines: z.array(
    z.object({
      id: z.string().describe('What a submission names as its pipeline_id'),
      description: z.string(),
      nodes: z.array(
        z.object({
          id: z.string(),
          tool: z.string().describe('What the node does to a frame'),
          params: z.record(z.string(), z.unknown()).describe('With which parameters: those declared, and the defaults'),
          params_schema: z
            .record(z.string(), z.unknown())
            .describe('Which parameters the tool takes, with meaning, range and default, as JSON Schema'),
        }),
      ),
      edges: z
        .array(z.object({ from: z.string(), to: z.string() }))
        .describe('What flows between the nodes; `frame` as `from` is the frame itself'),
      outputs: z.array(z.string()).describe("The nodes whose findings make up a frame's result"),
    }),
  ),
});
export type PipelinesResponse = z.infer<typeof pipelinesResponseSchema>;

export const healthResponseSchema = z.object({
  status: z.literal('ok'),
  version: z.string().describe('Of the service'),
  uptime_s: z.int().min(0).describe('Seconds since the process started'),
  isolation: z.array(z.string()).describe('What keeps the processes that decode videos apart from the rest'),
  refusals: z
    .array(
      z.object({
        step: z.enum(['claim', 'analyse', 'record']).describe('What the worker was about to do'),
        code: z.string().describe('What refused, for programs'),
        message: z.string().describe('What refused, for people'),
        times: z.int().min(1).describe('How often in a row'),
      }),
    )
    .describe('One for each worker that waits because disk, database or processes refuse; it goes on by itself'),
});
export type HealthResponse = z.infer<typeof healthResponseSchema>;

export const readyResponseSchema = z.object({ status: z.literal('ready') });
export type ReadyResponse = z.infer<typeof readyResponseSchema>;

/** `submit` videos, cancel jobs and delete their files; `read` jobs and results; `admin`: read the metrics of the service. */
export const scopeSchema = z.enum(['submit', 'read', 'admin']);
export type Scope = z.infer<typeof scopeSchema>;

export const sessionResponseSchema = z.object({
  signed_in: z.boolean().describe('True when the request came with the cookie of a session'),
  key_needed: z.boolean().describe('True when a key is needed and the request had none'),
  scopes: z.array(scopeSchema).describe('The scopes of the caller'),
});
export type SessionResponse = z.infer<typeof sessionResponseSchema>;

/** RFC 9457, with three members of our own. */
export const problemSchema = z.object({
  type: z.string().describe('Names the kind of problem, as a URI'),
  title: z.string().describe('The kind of problem in words; the same for every one of its kind'),
  status: z.int().describe('The HTTP status'),
  detail: z.string().describe('What was wrong this time'),
  code: z.string().describe('The kind of problem, for programs'),
  request_id: z.string().describe('As in the header X-Request-Id and in the log'),
  hint: z.string().optional().describe('What can be done about it'),
});
export type Problem = z.infer<typeof problemSchema>;
