import { FAILURE_CODES } from '../../src/errors.ts';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { KINDS } from '../../src/http/problem.ts';
import { problemSchema } from '../../src/http/schemas.ts';
import { markdownTable } from './markdown-table.ts';
import { FAILURES, PROBLEMS } from './problems.ts';
import { parameterTable, schemaTable } from './schema-table.ts';

/** The generated sections of what is asked and answered over HTTP, by name. */
export const API_SECTIONS: Readonly<Record<string, () => string>> = {
  endpoints: endpointTable,
  problems: problemTable,
  failures: failureTable,
  'response:problem': () => schemaTable(problemSchema),
  ...Object.fromEntries(
    ENDPOINTS.flatMap(({ name, request, answers }) => {
      const response = answers['application/json'] ?? undefined;
      return [
        ...(request === undefined ? [] : [[`request:${name}`, () => parameterTable(request)] as const]),
        ...(response === undefined ? [] : [[`response:${name}`, () => schemaTable(response)] as const]),
      ];
    }),
  ),
};

function endpointTable(): string {
  return markdownTable(
    ['Endpoint', 'What it does', 'Scope', 'Answers', 'Refuses with'],
    ENDPOINTS.map(({ method, path, does, scope, status, refusals }) => [
      `\`${method} ${path}\``,
      does,
      scope === null ? '' : `\`${scope}\``,
      String(status),
      refusals.map((code) => `${KINDS[code].status} \`${code}\``).join(', '),
    ]),
  );
}

function problemTable(): string {
  const rows = Object.entries(KINDS).flatMap(([code, { status, title, retryAfterS }]) => {
    const explained = Object.entries(PROBLEMS).find(([known]) => known === code)?.[1];
    if (explained === undefined) return [];
    const retry = retryAfterS === undefined ? '' : ` (\`Retry-After: ${retryAfterS}\`)`;
    return [[`\`${code}\``, `${status}${retry}`, title, explained.means, explained.remedy]];
  });
  return markdownTable(['`code`', 'Status', '`title`', 'Meaning', 'What to do'], rows);
}

function failureTable(): string {
  return markdownTable(
    ['`error_code`', 'Meaning', 'What to do'],
    FAILURE_CODES.map((code) => [`\`${code}\``, FAILURES[code].means, FAILURES[code].remedy]),
  );
}
