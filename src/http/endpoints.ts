import { z } from 'zod';
import { activityResponseSchema } from './routes/activity.ts';
import { deletionResponseSchema } from './routes/delete-files.ts';
import { jobResponseSchema } from './routes/job.ts';
import { jobsParametersSchema, jobsResponseSchema } from './routes/jobs.ts';
import { machineResponseSchema, machinesResponseSchema } from './routes/machines.ts';
import type { ProblemCode } from './problem-types.ts';
import {
  healthResponseSchema,
  pipelinesResponseSchema,
  readyResponseSchema,
  rerunParametersSchema,
  resultsResponseSchema,
  sessionResponseSchema,
  statusResponseSchema,
  submitParametersSchema,
  submitResponseSchema,
  type Scope,
} from './schemas.ts';
import { resultsParametersSchema } from './routes/results.ts';
import { searchParametersSchema, searchResponseSchema } from './routes/search.ts';
import { segmentsParametersSchema, segmentsResponseSchema } from './routes/segments.ts';
import { stillParametersSchema } from './routes/still.ts';
import { transitionsResponseSchema } from './routes/transitions.ts';

/** One endpoint of the API. The API description is generated from this, and tests validate responses against it. */
export interface Endpoint {
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As in OpenAPI, with `{name}` for a parameter. */
  readonly path: string;
  readonly summary: string;
  /** The scope that a key needs; null if no key is needed. */
  readonly scope: Scope | null;
  /** Query parameters; those of an upload may also be form fields. */
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** True if the body is a form with the video in `file`. */
  readonly isUpload?: true;
  /** The status of success. */
  readonly status: number;
  /** Bodies of success by content type; null for a type other than JSON. */
  readonly responses: Readonly<Record<string, z.ZodType | null>>;
  /** Other statuses without a problem document, each with its description. */
  readonly otherResponses?: Readonly<Record<number, string>>;
  /** Problem codes of this endpoint, in addition to `COMMON_PROBLEMS`. */
  readonly problems: readonly ProblemCode[];
}

const json = (schema: z.ZodType) => ({ 'application/json': schema });
const NOT_MODIFIED = { 304: 'Not modified since the response whose ETag is in If-None-Match' };

const submitHeadersSchema = z.object({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('Repeating a submission with the same key returns the same job, with the header Idempotent-Replayed'),
});

export const ENDPOINTS: readonly Endpoint[] = [
  {
    operationId: 'submit',
    method: 'POST',
    path: '/video/submit',
    summary: 'Accepts a video and returns its job. Parameters go in the query or in the form.',
    scope: 'submit',
    query: submitParametersSchema,
    headers: submitHeadersSchema,
    isUpload: true,
    status: 202,
    responses: json(submitResponseSchema),
    problems: [
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
    operationId: 'status',
    method: 'GET',
    path: '/video/status/{job_id}',
    summary: 'Returns the state of a job.',
    scope: 'read',
    status: 200,
    responses: json(statusResponseSchema),
    problems: ['job_not_found', 'store_unavailable'],
  },
  {
    operationId: 'results',
    method: 'GET',
    path: '/video/results/{job_id}',
    summary: 'Returns the frame results of a completed job: all, or those of a range of time.',
    scope: 'read',
    query: resultsParametersSchema,
    status: 200,
    responses: json(resultsResponseSchema),
    problems: ['invalid_request', 'job_not_found', 'job_not_completed', 'results_expired', 'store_unavailable'],
  },
  {
    operationId: 'segments',
    method: 'GET',
    path: '/video/segments/{job_id}',
    summary: 'Returns from when to when each text, object or scene is seen in the video of a completed job.',
    scope: 'read',
    query: segmentsParametersSchema,
    status: 200,
    responses: {
      ...json(segmentsResponseSchema),
      'text/vtt': null,
      'application/x-subrip': null,
      'text/plain': null,
      'text/csv': null,
    },
    problems: ['job_not_found', 'job_not_completed', 'results_expired', 'invalid_request', 'store_unavailable'],
  },
  {
    operationId: 'search',
    method: 'GET',
    path: '/video/search',
    summary: 'Returns in which videos, and when, a text or an object is seen.',
    scope: 'read',
    query: searchParametersSchema,
    status: 200,
    responses: json(searchResponseSchema),
    problems: ['invalid_request', 'store_unavailable'],
  },
  {
    operationId: 'cancel',
    method: 'POST',
    path: '/video/cancel/{job_id}',
    summary: 'Cancels a pending or running job, which then fails with `cancelled`. Idempotent.',
    scope: 'submit',
    status: 200,
    responses: json(statusResponseSchema),
    problems: ['job_not_found', 'job_conflict', 'store_unavailable'],
  },
  {
    operationId: 'jobs',
    method: 'GET',
    path: '/video/jobs',
    summary: 'Returns a page of jobs, newest first.',
    scope: 'read',
    query: jobsParametersSchema,
    status: 200,
    responses: json(jobsResponseSchema),
    otherResponses: NOT_MODIFIED,
    problems: ['invalid_request', 'store_unavailable'],
  },
  {
    operationId: 'job',
    method: 'GET',
    path: '/video/jobs/{job_id}',
    summary: 'Returns a job with its file name, tag and facts about its video.',
    scope: 'read',
    status: 200,
    responses: json(jobResponseSchema),
    otherResponses: NOT_MODIFIED,
    problems: ['job_not_found', 'store_unavailable'],
  },
  {
    operationId: 'rerun',
    method: 'POST',
    path: '/video/jobs/{job_id}/rerun',
    summary: 'Analyses the stored video of a job again, in a new job. What is not given is as in that job.',
    scope: 'submit',
    query: rerunParametersSchema,
    headers: submitHeadersSchema,
    status: 202,
    responses: json(submitResponseSchema),
    problems: [
      'job_not_found',
      'unknown_pipeline',
      'video_missing',
      'invalid_request',
      'idempotency_mismatch',
      'queue_full',
      'store_unavailable',
      'storage_full',
    ],
  },
  {
    operationId: 'deleteFiles',
    method: 'DELETE',
    path: '/video/jobs/{job_id}',
    summary: 'Deletes the video and the results of a finished job. Its status stays. Idempotent.',
    scope: 'submit',
    status: 200,
    responses: json(deletionResponseSchema),
    problems: ['job_not_found', 'job_conflict', 'store_unavailable'],
  },
  {
    operationId: 'transitions',
    method: 'GET',
    path: '/video/jobs/{job_id}/transitions',
    summary: 'Returns the transitions of a job, in order.',
    scope: 'read',
    status: 200,
    responses: json(transitionsResponseSchema),
    otherResponses: NOT_MODIFIED,
    problems: ['job_not_found', 'store_unavailable'],
  },
  {
    operationId: 'source',
    method: 'GET',
    path: '/video/source/{job_id}',
    summary: 'Returns the video, whole or one range of it.',
    scope: 'read',
    status: 200,
    responses: { 'video/mp4': null },
    otherResponses: { 206: 'One range of the video', ...NOT_MODIFIED },
    problems: ['job_not_found', 'video_missing', 'range_not_satisfiable', 'store_unavailable'],
  },
  {
    operationId: 'thumbnail',
    method: 'GET',
    path: '/video/thumbnails/{job_id}/{frame_index}',
    summary: 'Returns a small picture of the first frame of a scene; with `first`, of the first frame analysed.',
    scope: 'read',
    status: 200,
    responses: { 'image/jpeg': null },
    otherResponses: NOT_MODIFIED,
    problems: [
      'job_not_found',
      'picture_not_found',
      'job_not_completed',
      'results_expired',
      'video_missing',
      'pictures_busy',
      'store_unavailable',
    ],
  },
  {
    operationId: 'still',
    method: 'GET',
    path: '/video/still/{job_id}',
    summary: 'Returns the frame of the video that a player shows at a time, in its full size.',
    scope: 'read',
    query: stillParametersSchema,
    status: 200,
    responses: { 'image/jpeg': null, 'image/png': null },
    otherResponses: NOT_MODIFIED,
    problems: [
      'job_not_found',
      'picture_not_found',
      'video_missing',
      'invalid_request',
      'pictures_busy',
      'store_unavailable',
    ],
  },
  {
    operationId: 'pipelines',
    method: 'GET',
    path: '/pipelines',
    summary: 'Returns the pipelines with their parameters.',
    scope: 'read',
    status: 200,
    responses: json(pipelinesResponseSchema),
    problems: [],
  },
  {
    operationId: 'machines',
    method: 'GET',
    path: '/machines',
    summary: 'Returns the state machines.',
    scope: 'read',
    status: 200,
    responses: json(machinesResponseSchema),
    problems: [],
  },
  {
    operationId: 'activity',
    method: 'GET',
    path: '/machines/activity',
    summary: 'Returns the number of jobs in each state, the states of the workers and the latest transitions.',
    scope: 'read',
    status: 200,
    responses: json(activityResponseSchema),
    otherResponses: NOT_MODIFIED,
    problems: ['store_unavailable'],
  },
  {
    operationId: 'machine',
    method: 'GET',
    path: '/machines/{id}',
    summary: 'Returns a state machine as JSON or as Mermaid text.',
    scope: 'read',
    query: z.object({ format: z.enum(['json', 'mermaid']).optional().describe('Default: by the header `Accept`') }),
    status: 200,
    responses: { ...json(machineResponseSchema), 'text/plain': null },
    otherResponses: NOT_MODIFIED,
    problems: ['machine_not_found', 'invalid_request'],
  },
  {
    operationId: 'showSession',
    method: 'GET',
    path: '/session',
    summary: 'Returns the scopes of the caller and whether a key is needed.',
    scope: null,
    status: 200,
    responses: json(sessionResponseSchema),
    problems: [],
  },
  {
    operationId: 'beginSession',
    method: 'POST',
    path: '/session',
    summary: 'Starts a session: returns a cookie for the key in the header. Scripts cannot read it.',
    scope: null,
    status: 200,
    responses: json(sessionResponseSchema),
    problems: ['unauthenticated'],
  },
  {
    operationId: 'endSession',
    method: 'DELETE',
    path: '/session',
    summary: 'Ends the session.',
    scope: null,
    status: 204,
    responses: {},
    problems: [],
  },
  {
    operationId: 'health',
    method: 'GET',
    path: '/health',
    summary: 'Returns 200 while the process and its workers are alive and the database is sound.',
    scope: null,
    status: 200,
    responses: json(healthResponseSchema),
    problems: ['worker_dead', 'store_unavailable'],
  },
  {
    operationId: 'ready',
    method: 'GET',
    path: '/ready',
    summary: 'Returns 200 while jobs can be accepted, read and worked on.',
    scope: null,
    status: 200,
    responses: json(readyResponseSchema),
    problems: ['not_ready'],
  },
  {
    operationId: 'metrics',
    method: 'GET',
    path: '/metrics',
    summary: 'Returns metrics in the text format of Prometheus.',
    scope: 'admin',
    status: 200,
    responses: { 'text/plain': null },
    problems: ['store_unavailable'],
  },
];

/** Problems of every endpoint. */
export const COMMON_PROBLEMS: readonly ProblemCode[] = [
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
