import { FAILURE_CODES } from '../../src/errors.ts';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { INTERNAL, PROBLEM_TYPES } from '../../src/http/problem-types.ts';
import { problemSchema } from '../../src/http/schemas.ts';
import { markdownTable } from './markdown-table.ts';
import { FAILURES } from './failures.ts';
import { parameterTable, schemaTable } from './schema-table.ts';

/** The generated sections of what is asked and answered over HTTP, by name. */
export const API_SECTIONS: Readonly<Record<string, () => string>> = {
  endpoints: endpointTable,
  problems: problemTable,
  failures: failureTable,
  'response:problem': () => schemaTable(problemSchema),
  ...Object.fromEntries(
    ENDPOINTS.flatMap(({ operationId, query, responses }) => {
      const response = responses['application/json'] ?? undefined;
      return [
        ...(query === undefined ? [] : [[`request:${operationId}`, () => parameterTable(query)] as const]),
        ...(response === undefined ? [] : [[`response:${operationId}`, () => schemaTable(response)] as const]),
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
      problems.map((code) => `${PROBLEM_TYPES[code].status} \`${code}\``).join(', '),
    ]),
  );
}

function problemTable(): string {
  const rows = Object.entries(PROBLEM_TYPES)
    .filter(([code, type]) => code === 'internal' || type !== INTERNAL)
    .map(([code, { status, title, retryAfterS, meaning, remedy }]) => {
      const retry = retryAfterS === undefined ? '' : ` (\`Retry-After: ${retryAfterS}\`)`;
      return [`\`${code}\``, `${status}${retry}`, title, meaning, remedy];
    });
  return markdownTable(['`code`', 'Status', '`title`', 'Meaning', 'What to do'], rows);
}

function failureTable(): string {
  return markdownTable(
    ['`error_code`', 'Meaning', 'What to do'],
    FAILURE_CODES.map((code) => [`\`${code}\``, FAILURES[code].means, FAILURES[code].remedy]),
  );
}
