import type { z } from 'zod';
import type { ProblemCode } from './problem-types.ts';
import type { Scope } from './schemas.ts';

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

/** Returns the `responses` of an endpoint with a JSON body. */
export const json = (schema: z.ZodType) => ({ 'application/json': schema });

export const NOT_MODIFIED = { 304: 'Not modified since the response whose ETag is in If-None-Match' };
