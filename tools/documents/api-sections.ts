import { z } from 'zod';
import { FAILURE_CODES } from '../../src/errors.ts';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { INTERNAL, PROBLEM_TYPES } from '../../src/http/problem-types.ts';
import { jobItemSchema } from '../../src/http/routes/jobs.ts';
import { stepSchema } from '../../src/http/routes/transitions.ts';
import {
  problemSchema,
  rerunParametersSchema,
  sessionResponseSchema,
  statusResponseSchema,
} from '../../src/http/schemas.ts';
import { FAILURES } from './failures.ts';
import { markdownTable } from './markdown-table.ts';
import { parameterTable } from './parameter-table.ts';
import { responseShape, type SharedFields } from './response-shape.ts';

/** Fields that several responses have. They are listed with the first operation that is named. */
const SHARED: readonly (SharedFields & { readonly listedWith: string })[] = [
  { listedWith: 'job', schema: jobItemSchema, reference: 'The fields of GET /video/jobs/{job_id} without media' },
  { listedWith: 'status', schema: statusResponseSchema, reference: 'The fields of GET /video/status/{job_id}' },
  {
    listedWith: 'transitions',
    schema: stepSchema,
    reference: 'The fields of a transition, as in GET /video/jobs/{job_id}/transitions',
  },
  { listedWith: 'showSession', schema: sessionResponseSchema, reference: 'The fields of GET /session' },
];

/** The generated sections about requests and responses, by name. */
export const API_SECTIONS: Readonly<Record<string, () => string>> = {
  endpoints: endpointTable,
  problems: problemTable,
  failures: failureTable,
  'response:problem': () => responseShape(problemSchema),
  ...Object.fromEntries(
    ENDPOINTS.flatMap(({ operationId, query, responses }) => {
      const response = responses['application/json'];
      const shared = SHARED.filter(({ listedWith }) => listedWith !== operationId);
      return [
        ...(query === undefined ? [] : [[`request:${operationId}`, () => parametersOf(query)] as const]),
        ...(response instanceof z.ZodObject
          ? [[`response:${operationId}`, () => responseShape(response, shared)] as const]
          : []),
      ];
    }),
  ),
};

function parametersOf(query: z.ZodObject): string {
  return query === rerunParametersSchema
    ? '\nThe parameters of `POST /video/submit`, all optional.\n'
    : parameterTable(query);
}

/** Problems that the document names for a kind of endpoint are not repeated with each. */
function endpointTable(): string {
  return markdownTable(
    ['Endpoint', 'What it does', 'Scope', 'Problems'],
    ENDPOINTS.map(({ method, path, summary, scope, query, problems }) => [
      `\`${method} ${path}\``,
      summary,
      scope === null ? '' : `\`${scope}\``,
      problems
        .filter((code) => code !== 'job_not_found' && (code !== 'invalid_request' || query === undefined))
        .filter((code) => code !== 'store_unavailable' || path === '/health')
        .map((code) => `\`${code}\``)
        .join(', '),
    ]),
  );
}

function problemTable(): string {
  const rows = Object.entries(PROBLEM_TYPES)
    .filter(([code, type]) => code === 'internal' || type !== INTERNAL)
    .map(([code, { status, meaning, remedy }]) => [`\`${code}\``, String(status), meaning, remedy]);
  return markdownTable(['`code`', 'Status', 'Meaning', 'What to do'], rows);
}

function failureTable(): string {
  return markdownTable(
    ['`error_code`', 'Meaning', 'What to do'],
    FAILURE_CODES.map((code) => [`\`${code}\``, FAILURES[code].means, FAILURES[code].remedy]),
  );
}
