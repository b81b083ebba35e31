import { z } from 'zod';
import { activityResponseSchema } from './activity.ts';
import { deletionResponseSchema } from './delete-files.ts';
import { jobsParametersSchema, jobsResponseSchema } from './jobs.ts';
import { machineResponseSchema, machinesResponseSchema } from './machines.ts';
import type { ProblemCode } from './problem.ts';
import {
  healthResponseSchema,
  pipelinesResponseSchema,
  readyResponseSchema,
  resultsResponseSchema,
  sessionResponseSchema,
  statusResponseSchema,
  submitParametersSchema,
  submitResponseSchema,
  type Scope,
} from './schemas.ts';
import { transitionsResponseSchema } from './transitions.ts';

/** What one endpoint asks and answers. From this the description of the API is made, and by it the answers are tested. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As OpenAPI writes it: `{name}` for what varies. */
  readonly path: string;
  readonly name: string;
  readonly does: string;
  /** What a key must allow; null where none is needed. */
  readonly scope: Scope | null;
  /** Parameters of the query; those of an upload may stand in its form as well. */
  readonly request?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** True where the body is a form with the video in `file`. */
  readonly isUpload?: true;
  readonly status: number;
  /** By its content type; a type without a schema is no JSON. */
  readonly answers: Readonly<Record<string, z.ZodType | null>>;
  /** Further statuses that are no problems. */
  readonly alsoAnswers?: Readonly<Record<number, string>>;
  /** Codes of the problems that are this endpoint's own. */
  readonly refusals: readonly ProblemCode[];
}

const json = (schema: z.ZodType) => ({ 'application/json': schema });
const NOT_MODIFIED = { 304: 'As in the answer whose ETag came in If-None-Match' };

const submitHeadersSchema = z.object({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('The same submission again under the same key gives the same job, with the header Idempotent-Replayed'),
});

export const ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/video/submit',
    name: 'submit',
    does: 'Accepts a video and answers with its job. The parameters may stand in the query or in the form.',
    scope: 'submit',
    request: submitParametersSchema,
    headers: submitHeadersSchema,
    isUpload: true,
    status: 202,
    answers: json(submitResponseSchema),
    refusals: [
      'invalid_mp4',
      'unknown_pipeline',
      'upload_too_slow',
      'upload_too_large',
      'invalid_request',
      'missing_file',
      'idempotency_mismatch',
      'too_many_uploads',
      'queue_full',
      'store_unavailable',
      'storage_full',
    ],
  },
  {
    method: 'GET',
    path: '/video/status/{job_id}',
    name: 'status',
    does: 'Says how far a job has come.',
    scope: 'read',
    status: 200,
    answers: json(statusResponseSchema),
    refusals: ['job_not_found', 'store_unavailable'],
  },
  {
    method: 'GET',
    path: '/video/results/{job_id}',
    name: 'results',
    does: 'Gives what was found in the frames of a completed job.',
    scope: 'read',
    status: 200,
    answers: json(resultsResponseSchema),
    refusals: ['job_not_found', 'job_not_completed', 'results_expired', 'store_unavailable'],
  },
  {
    method: 'POST',
    path: '/video/cancel/{job_id}',
    name: 'cancel',
    does: 'Gives a job up, whether it waits or runs. It fails with `cancelled`; once more does no harm.',
    scope: 'submit',
    status: 200,
    answers: json(statusResponseSchema),
    refusals: ['job_not_found', 'job_conflict', 'store_unavailable'],
  },
  {
    method: 'GET',
    path: '/video/jobs',
    name: 'jobs',
    does: 'Lists jobs, a page at a time.',
    scope: 'read',
    request: jobsParametersSchema,
    status: 200,
    answers: json(jobsResponseSchema),
    alsoAnswers: NOT_MODIFIED,
    refusals: ['invalid_request', 'store_unavailable'],
  },
  {
    method: 'DELETE',
    path: '/video/jobs/{job_id}',
    name: 'deleteFiles',
    does: 'Deletes the video and the results of a job that has ended; its status stays. Once more does no harm.',
    scope: 'submit',
    status: 200,
    answers: json(deletionResponseSchema),
    refusals: ['job_not_found', 'job_conflict', 'store_unavailable'],
  },
  {
    method: 'GET',
    path: '/video/jobs/{job_id}/transitions',
    name: 'transitions',
    does: 'Tells how a job got where it is.',
    scope: 'read',
    status: 200,
    answers: json(transitionsResponseSchema),
    alsoAnswers: NOT_MODIFIED,
    refusals: ['job_not_found', 'store_unavailable'],
  },
  {
    method: 'GET',
    path: '/video/source/{job_id}',
    name: 'source',
    does: 'Gives the video, whole or one range of it.',
    scope: 'read',
    status: 200,
    answers: { 'video/mp4': null },
    alsoAnswers: { 206: 'One range of the video', ...NOT_MODIFIED },
    refusals: ['job_not_found', 'video_missing', 'range_not_satisfiable', 'store_unavailable'],
  },
  {
    method: 'GET',
    path: '/pipelines',
    name: 'pipelines',
    does: 'Lists the pipelines with their parameters.',
    scope: 'read',
    status: 200,
    answers: json(pipelinesResponseSchema),
    refusals: [],
  },
  {
    method: 'GET',
    path: '/machines',
    name: 'machines',
    does: 'Lists the state machines.',
    scope: 'read',
    status: 200,
    answers: json(machinesResponseSchema),
    refusals: [],
  },
  {
    method: 'GET',
    path: '/machines/activity',
    name: 'activity',
    does: 'Says where jobs and workers stand, and what has just happened.',
    scope: 'read',
    status: 200,
    answers: json(activityResponseSchema),
    alsoAnswers: NOT_MODIFIED,
    refusals: ['store_unavailable'],
  },
  {
    method: 'GET',
    path: '/machines/{id}',
    name: 'machine',
    does: 'Gives a state machine as JSON or as Mermaid text.',
    scope: 'read',
    request: z.object({ format: z.enum(['json', 'mermaid']).optional().describe('Else as `Accept` says') }),
    status: 200,
    answers: { ...json(machineResponseSchema), 'text/plain': null },
    alsoAnswers: NOT_MODIFIED,
    refusals: ['machine_not_found', 'invalid_request'],
  },
  {
    method: 'GET',
    path: '/session',
    name: 'showSession',
    does: 'Says what the caller may, and whether a key is needed for more.',
    scope: null,
    status: 200,
    answers: json(sessionResponseSchema),
    refusals: [],
  },
  {
    method: 'POST',
    path: '/session',
    name: 'beginSession',
    does: 'Signs a page in: the key in the header is exchanged for a cookie that no script can read.',
    scope: null,
    status: 200,
    answers: json(sessionResponseSchema),
    refusals: ['unauthenticated'],
  },
  {
    method: 'DELETE',
    path: '/session',
    name: 'endSession',
    does: 'Signs a page out.',
    scope: null,
    status: 204,
    answers: {},
    refusals: [],
  },
  {
    method: 'GET',
    path: '/health',
    name: 'health',
    does: 'Answers 200 while the process and its workers live.',
    scope: null,
    status: 200,
    answers: json(healthResponseSchema),
    refusals: ['worker_dead'],
  },
  {
    method: 'GET',
    path: '/ready',
    name: 'ready',
    does: 'Answers 200 while jobs can be accepted, read and worked on.',
    scope: null,
    status: 200,
    answers: json(readyResponseSchema),
    refusals: ['not_ready'],
  },
  {
    method: 'GET',
    path: '/metrics',
    name: 'metrics',
    does: 'Gives numbers about the service in the text format of Prometheus.',
    scope: 'admin',
    status: 200,
    answers: { 'text/plain': null },
    refusals: ['store_unavailable'],
  },
];

/** Problems with which any request may be answered. */
export const COMMON_REFUSALS: readonly ProblemCode[] = [
  'malformed_request',
  'unauthenticated',
  'scope_missing',
  'foreign_origin',
  'too_many_requests',
  'headers_too_large',
  'expectation_failed',
  'storage_unavailable',
  'internal',
];
