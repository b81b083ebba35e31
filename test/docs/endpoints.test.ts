import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { FAILURE_CODES } from '../../src/errors.ts';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { PROBLEM_TYPES } from '../../src/http/problem-types.ts';
import { FAILURES } from '../../tools/documents/failures.ts';
import { projectRoot } from '../tools/sample-project.ts';

const read = (file: string): string => readFileSync(path.join(projectRoot, file), 'utf8');

describe('docs/ENDPOINTS.md', () => {
  const document = read('docs/ENDPOINTS.md');

  it('lists every route and no other', () => {
    const routes = [...read('src/http/app.ts').matchAll(/\.(get|post|put|patch|delete)\('(\/[^']*)'/g)].map(
      ([, method = '', route = '']) => `${method.toUpperCase()} ${route}`,
    );
    expect(routes).to.not.have.lengthOf(0);
    const pages = ['GET /web/*name', 'GET /client/*name', 'GET /assets/*name', 'GET /docs', 'GET /openapi.json'];
    const listed = ENDPOINTS.map(({ method, path: route }) => `${method} ${route.replaceAll(/\{(\w+)\}/g, ':$1')}`);
    expect([...listed, ...pages]).to.have.members(routes);
  });

  it('has a heading and the schemas of each endpoint', () => {
    for (const { method, path: route, operationId, query, responses } of ENDPOINTS) {
      const response = responses['application/json'] ?? undefined;
      expect(document).to.contain(`\n## ${method} ${route}\n`);
      if (query !== undefined) expect(document).to.contain(`<!-- request:${operationId} -->`);
      if (response !== undefined) expect(document).to.contain(`<!-- response:${operationId} -->`);
    }
  });

  it('explains every code of a problem document', () => {
    for (const [code, { title, status }] of Object.entries(PROBLEM_TYPES)) {
      if (title === PROBLEM_TYPES.internal.title && code !== 'internal') continue;
      expect(document).to.contain(`\n| \`${code}\` | ${status}`);
    }
  });

  it('explains every error_code', () => {
    for (const code of FAILURE_CODES) expect(document).to.contain(`| \`${code}\` | ${FAILURES[code].means} |`);
  });
});
