import { z } from 'zod';
import { ANALYSIS_PARAMETERS } from './analysis-parameters.ts';
import { frameResultSchema, jobIdSchema, jobStatusSchema } from '../job.ts';

/** Schemas of requests and responses. Their descriptions appear in the API documents. */

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

/** Query parameters of a rerun. An absent one is as in the original job. */
export const rerunParametersSchema = submitParametersSchema.extend({
  pipeline_id: z.string().min(1).optional().describe('One of the pipelines listed by GET /pipelines'),
});

export const submitResponseSchema = z.object({ job_id: jobIdSchema });
export type SubmitResponse = z.infer<typeof submitResponseSchema>;

export const statusResponseSchema = z.object({
  job_id: jobIdSchema,
  status: jobStatusSchema,
  progress: z
    .union([z.literal(0), z.literal(0.5), z.literal(1)])
    .describe('0 when pending, 0.5 when running, 1 when completed or failed'),
  created_at: z.iso.datetime().describe('Time of acceptance, UTC'),
  updated_at: z.iso.datetime().describe('Time of the last transition, UTC'),
  error_message: z.string().optional().describe('Reason of a failed job, for people'),
  error_code: z.string().optional().describe('Reason of a failed job, for programs'),
});
export type StatusResponse = z.infer<typeof statusResponseSchema>;

export const resultsResponseSchema = z.object({
  job_id: jobIdSchema,
  results: z.array(frameResultSchema).describe('One item per analysed frame, in frame order'),
});

export const pipelinesResponseSchema = z.object({
  pipelines: z.array(
    z.object({
      id: z.string().describe('The `pipeline_id` of a submission'),
      description: z.string(),
      nodes: z.array(
        z.object({
          id: z.string(),
          tool: z.string().describe('Name of the tool'),
          params: z.record(z.string(), z.unknown()).describe('Parameters in use: declared ones and defaults'),
          params_schema: z
            .record(z.string(), z.unknown())
            .describe('Parameters of the tool with meaning, range and default, as JSON Schema'),
          reads: z
            .object({
              scripts: z.record(z.string(), z.int()).describe('Number of known letters by Unicode script'),
              letters: z.string().describe('The known letters, except Chinese and Korean ones'),
              languages: z.array(z.string()).readonly().describe('Languages that Tesseract reads beside these'),
            })
            .exactOptional()
            .describe('What the node can read. Text with other letters is marked `unsure`'),
        }),
      ),
      edges: z
        .array(z.object({ from: z.string(), to: z.string() }))
        .describe('Data flow between nodes; `frame` as `from` is the frame itself'),
      outputs: z.array(z.string()).describe("Nodes whose findings make up a frame's result"),
    }),
  ),
});
export type PipelinesResponse = z.infer<typeof pipelinesResponseSchema>;

export const healthResponseSchema = z.object({
  status: z.literal('ok'),
  version: z.string().describe('Version of the service'),
  uptime_s: z.int().min(0).describe('Seconds since the process started'),
  isolation: z.array(z.string()).describe('Active sandbox layers of the child processes'),
  ffmpeg: z.string().nullable().describe('Version of FFmpeg; null until a process that decodes has started'),
  refusals: z
    .array(
      z.object({
        step: z.enum(['claim', 'analyse', 'record']).describe('Step that was refused'),
        code: z.string().describe('Reason, for programs'),
        message: z.string().describe('Reason, for people'),
        times: z.int().min(1).describe('Refusals in a row'),
      }),
    )
    .describe('One item per worker that waits because the environment refuses; it continues by itself'),
  search_index: z.enum(['complete', 'incomplete']).describe('`incomplete` while videos are being added to it'),
});
export type HealthResponse = z.infer<typeof healthResponseSchema>;

export const readyResponseSchema = z.object({ status: z.literal('ready') });
export type ReadyResponse = z.infer<typeof readyResponseSchema>;

/** `submit` videos, cancel jobs and delete their files; `read` jobs and results; `admin`: read the metrics. */
export const scopeSchema = z.enum(['submit', 'read', 'admin']);
export type Scope = z.infer<typeof scopeSchema>;

export const sessionResponseSchema = z.object({
  signed_in: z.boolean().describe('True if the request has a valid session cookie'),
  key_needed: z.boolean().describe('True if a key is needed and the request has none'),
  scopes: z.array(scopeSchema).describe('Scopes of the caller'),
});
export type SessionResponse = z.infer<typeof sessionResponseSchema>;

/** RFC 9457 with the extension members `code`, `request_id` and `hint`. */
export const problemSchema = z.object({
  type: z.string().describe('`urn:reelstate:problem:` and the `code`'),
  title: z.string().describe('The kind of problem; fixed text for each `code`'),
  status: z.int().describe('HTTP status'),
  detail: z.string().describe('What is wrong with this request'),
  code: z.string().describe('The kind of problem, for programs'),
  request_id: z.string().describe('Id of the request, as in the header `X-Request-Id` and in the log'),
  hint: z.string().optional().describe('What to do'),
});
export type Problem = z.infer<typeof problemSchema>;
