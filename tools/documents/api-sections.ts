import { FAILURE_CODES } from '../../src/errors.ts';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { INTERNAL, PROBLEM_TYPES } from '../../src/http/problem-types.ts';
import { jobItemSchema } from '../../src/http/routes/jobs.ts';
import { problemSchema, statusResponseSchema, submitParametersSchema } from '../../src/http/schemas.ts';
import { markdownTable } from './markdown-table.ts';
import { FAILURES } from './failures.ts';
import { parameterTable, schemaTable, type SharedFields } from './schema-table.ts';

/** Fields that several requests or responses have. They are listed with the first operation that is named. */
const SHARED: readonly (SharedFields & { readonly listedWith: string })[] = [
  { listedWith: 'job', schema: jobItemSchema, reference: `The fields of ${linkTo('job')} but \`media\`` },
  { listedWith: 'status', schema: statusResponseSchema, reference: `The fields of ${linkTo('status')}` },
  {
    listedWith: 'submit',
    schema: submitParametersSchema.omit({ pipeline_id: true }),
    reference: `The parameters of ${linkTo('submit')}`,
  },
];

/** The generated sections about requests and responses, by name. */
export const API_SECTIONS: Readonly<Record<string, () => string>> = {
  endpoints: endpointTable,
  problems: problemTable,
  failures: failureTable,
  'response:problem': () => schemaTable(problemSchema),
  ...Object.fromEntries(
    ENDPOINTS.flatMap(({ operationId, query, responses }) => {
      const response = responses['application/json'] ?? undefined;
      const shared = SHARED.filter(({ listedWith }) => listedWith !== operationId);
      return [
        ...(query === undefined ? [] : [[`request:${operationId}`, () => parameterTable(query, shared)] as const]),
        ...(response === undefined ? [] : [[`response:${operationId}`, () => schemaTable(response, shared)] as const]),
      ];
    }),
  ),
};

function endpointTable(): string {
  return markdownTable(
    ['Endpoint', 'What it does', 'Scope', 'Success', 'Problems'],
    ENDPOINTS.map(({ method, path, summary, scope, status, problems }) => [
      `\`${method} ${path}\``,
      summary,
      scope === null ? '' : `\`${scope}\``,
      String(status),
      problems.map((code) => `\`${code}\``).join(', '),
    ]),
  );
}

/** Returns the link to the heading of an operation, `## METHOD path`. */
function linkTo(operationId: string): string {
  const { method, path } = ENDPOINTS.find((endpoint) => endpoint.operationId === operationId) ?? {};
  const heading = `${method} ${path}`;
  return `[\`${heading}\`](#${heading
    .toLowerCase()
    .replaceAll(/[^\w ]/g, '')
    .replaceAll(' ', '-')})`;
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
