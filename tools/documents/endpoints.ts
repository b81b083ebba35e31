import type { z } from 'zod';
import type { ProblemCode } from '../../src/http/problem.ts';
import {
  healthResponseSchema,
  pipelinesResponseSchema,
  readyResponseSchema,
  resultsResponseSchema,
  statusResponseSchema,
  submitParametersSchema,
  submitResponseSchema,
} from '../../src/http/schemas.ts';

/** What a document says of one endpoint; a test holds the list against the routes. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly does: string;
  /** Name of its generated sections: `request:<name>` and `response:<name>`. */
  readonly name: string;
  readonly status: number;
  readonly request?: z.ZodType;
  /** Absent: the answer is no JSON object of a fixed form. */
  readonly response?: z.ZodType;
  /** Codes of the problems that are this endpoint's own; any may answer with those of every request. */
  readonly refusals: readonly ProblemCode[];
}

export const ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/video/submit',
    does: 'Accepts a video and answers with its job',
    name: 'submit',
    status: 202,
    request: submitParametersSchema,
    response: submitResponseSchema,
    refusals: [
      'invalid_mp4',
      'unknown_pipeline',
      'upload_too_large',
      'invalid_request',
      'missing_file',
      'queue_full',
      'store_unavailable',
      'storage_full',
    ],
  },
  {
    method: 'GET',
    path: '/video/status/:job_id',
    does: 'Says how far a job has come',
    name: 'status',
    status: 200,
    response: statusResponseSchema,
    refusals: ['job_not_found', 'store_unavailable'],
  },
  {
    method: 'GET',
    path: '/video/results/:job_id',
    does: 'Gives what was found in the frames of a completed job',
    name: 'results',
    status: 200,
    response: resultsResponseSchema,
    refusals: ['job_not_found', 'job_not_completed', 'results_expired', 'store_unavailable'],
  },
  {
    method: 'GET',
    path: '/pipelines',
    does: 'Lists the pipelines',
    name: 'pipelines',
    status: 200,
    response: pipelinesResponseSchema,
    refusals: [],
  },
  {
    method: 'GET',
    path: '/health',
    does: 'Answers while the process lives',
    name: 'health',
    status: 200,
    response: healthResponseSchema,
    refusals: [],
  },
  {
    method: 'GET',
    path: '/ready',
    does: 'Answers 200 while jobs can be accepted and read',
    name: 'ready',
    status: 200,
    response: readyResponseSchema,
    refusals: ['not_ready'],
  },
];
