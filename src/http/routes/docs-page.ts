import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import { isUnchanged } from './entity-tag.ts';
import type { Endpoint } from '../endpoint.ts';
import { ENDPOINTS } from '../endpoints.ts';
import { PROBLEM_TYPES, type ProblemCode } from '../problem-types.ts';
import type { RequestState } from '../middleware/request-state.ts';

/** Without scripts and external resources. */
const POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Stands for the service's address until a request shows it. */
const ADDRESS = '{address}';

/** GET /docs: the API for people, from the same table as the OpenAPI description. */
export function docsRoute(version: string, basePath: string): RouterMiddleware<RequestState> {
  const written = page(version);
  return (ctx) => {
    const address = escaped(`${ctx.protocol}://${ctx.host}${basePath}`);
    const html = written.replaceAll(ADDRESS, () => address);
    ctx.set('Content-Security-Policy', POLICY);
    if (isUnchanged(ctx, html)) return;
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = html;
  };
}

function page(version: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>API · Reelstate</title>
    <link rel="icon" href="web/icon.svg" />
    ${['tokens', 'base', 'head', 'docs'].map((name) => `<link rel="stylesheet" href="web/styles/${name}.css" />`).join('\n    ')}
  </head>
  <body>
    <header class="page-head">
      <a class="brand" href="./" aria-label="Reelstate, to the library">
        <img src="web/icon.svg" alt="" width="24" height="24" /><span>Reelstate</span>
      </a>
      <nav aria-label="Pages">
        <a href="./">Library</a>
        <a href="inspector">Inspector</a>
        <a href="docs" aria-current="page">API</a>
      </nav>
    </header>
    <main class="docs">
      <h1>Reelstate ${escaped(version)}: the API</h1>
      <p>
        For programs: <a href="openapi.json">openapi.json</a>. If keys are set, send one with every request as
        <code>X-API-Key: …</code> or <code>Authorization: Bearer …</code>, never in an address. The response to a
        rejected request is <code>application/problem+json</code> (RFC 9457) with a <code>code</code>:
      </p>
      ${problemTable()}
      ${ENDPOINTS.map((endpoint) => section(endpoint)).join('\n')}
    </main>
  </body>
</html>
`;
}

function section(endpoint: Endpoint): string {
  const {
    operationId,
    method,
    path,
    summary,
    scope,
    query,
    headers,
    isUpload = false,
    status,
    responses,
    problems,
  } = endpoint;
  const curl = [
    'curl',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    ...(operationId === 'submit' ? ['-F pipeline_id=ocr_only'] : []),
    ...(isUpload ? ['-F file=@video.mp4'] : []),
    `${ADDRESS}${path}`,
  ].join(' ');
  return `<section id="${operationId}">
  <h2><code>${method} ${escaped(path)}</code></h2>
  <p>${prose(summary)} ${scope === null ? 'Needs no key.' : `Needs the scope <code>${scope}</code>.`}</p>
  <pre tabindex="0">${escaped(curl)}</pre>
  ${parameters(isUpload ? 'Query or form' : 'Query', query)}${parameters('Headers', headers)}
  <details><summary>Response ${status}</summary>${Object.entries(responses)
    .map(([type, schema]) => `<p><code>${type}</code></p>${schema === null ? '' : schemaText(schema)}`)
    .join('')}</details>
  ${problems.length === 0 ? '' : `<p>Problems: ${problems.map((code) => `<a href="#${code}">${code}</a>`).join(', ')}.</p>`}
</section>`;
}

function parameters(title: string, schema: z.ZodObject | undefined): string {
  if (schema === undefined) return '';
  const rows = Object.entries(schema.shape).map(
    ([name, parameter]) =>
      `<tr><th scope="row"><code>${escaped(name)}</code></th><td>${prose(z.globalRegistry.get(parameter)?.description ?? '')}</td></tr>`,
  );
  return `<table><caption>${title}</caption>${rows.join('')}</table>`;
}

function schemaText(schema: z.ZodType): string {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return `<pre tabindex="0">${escaped(JSON.stringify(rest, null, 2))}</pre>`;
}

function problemTable(): string {
  const rows = Object.entries(PROBLEM_TYPES)
    .filter(([code, { status }]) => status !== 500 || code === 'internal')
    .map(([code, { status, title }]: [string, (typeof PROBLEM_TYPES)[ProblemCode]]) => {
      return `<tr id="${code}"><td>${status}</td><th scope="row"><code>${code}</code></th><td>${escaped(title)}</td></tr>`;
    });
  return `<details><summary>All codes</summary><table>${rows.join('')}</table></details>`;
}

/** Marks `code` in a text. */
function prose(text: string): string {
  return escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? '');
}
