import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import { COMMON_PROBLEMS, type Endpoint } from '../endpoint.ts';
import { ENDPOINTS } from '../endpoints.ts';
import { PROBLEM_TYPES } from '../problem-types.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { problemSchema } from '../schemas.ts';

/** Returns the OpenAPI 3.1 description of the API. It uses the schemas that requests and the responses in tests are checked with. */
export function describeApi(version: string, basePath = '') {
  const schemas = new SharedSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of ENDPOINTS) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method.toLowerCase()]: operationOf(endpoint, schemas) };
  }
  const problem = schemas.of(problemSchema);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Reelstate',
      version,
      description:
        'Upload an MP4 file, get a job at once, poll its status, fetch what was read and seen in its frames.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: basePath === '' ? '/' : basePath }],
    paths,
    components: {
      schemas: { ...schemas.named, Problem: problem },
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}
export type ApiDescription = ReturnType<typeof describeApi>;

/** GET /openapi.json */
export function openapiRoute(description: ApiDescription): RouterMiddleware<RequestState> {
  const text = JSON.stringify(description);
  return (ctx) => {
    ctx.type = 'application/json';
    ctx.body = text;
  };
}

function operationOf(endpoint: Endpoint, schemas: SharedSchemas) {
  const { operationId, summary, scope, status, responses, otherResponses = {}, problems } = endpoint;
  const content = Object.fromEntries(
    Object.entries(responses).map(([type, schema]) => [type, schema === null ? {} : { schema: schemas.of(schema) }]),
  );
  const also = Object.entries(otherResponses).map(([code, description]) => [code, { description }] as const);
  return {
    operationId,
    summary,
    ...(scope === null ? { security: [] } : { security: [{ key: [] }, { bearer: [] }], 'x-scope': scope }),
    parameters: parametersOf(endpoint, schemas),
    ...(endpoint.isUpload === true ? { requestBody: uploadOf(endpoint, schemas) } : {}),
    responses: {
      [status]: { description: 'Done', ...(Object.keys(content).length === 0 ? {} : { content }) },
      ...Object.fromEntries(also),
      ...problemsOf([...problems, ...COMMON_PROBLEMS]),
    },
  };
}

function parametersOf({ path, query, headers }: Endpoint, schemas: SharedSchemas) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const given = (where: string, schema: z.ZodObject | undefined) =>
    Object.entries(schema?.shape ?? {}).map(([name, parameter]) => {
      const { description, ...rest } = schemas.of(parameter);
      return { name, in: where, required: false, ...(description === undefined ? {} : { description }), schema: rest };
    });
  return [...inPath, ...given('query', query), ...given('header', headers)];
}

function uploadOf({ query = z.object({}) }: Endpoint, schemas: SharedSchemas) {
  const { properties } = schemas.of(query);
  return {
    required: true,
    content: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: { ...properties, file: { type: 'string', format: 'binary', description: 'The MP4 file' } },
          required: ['file'],
        },
      },
    },
  };
}

/** One response per status; its description names the possible codes. */
function problemsOf(codes: readonly (keyof typeof PROBLEM_TYPES)[]) {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { status, title } = PROBLEM_TYPES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\`: ${title}`]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, kinds]) => [
      status,
      {
        description: kinds.join('. '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

const jsonSchemaSchema = z.looseObject({
  $defs: z.record(z.string(), z.unknown()).default({}),
  properties: z.record(z.string(), z.unknown()).optional(),
  description: z.string().optional(),
});

/** JSON Schemas of zod and the schemas that they reference, which OpenAPI keeps in `components`. */
class SharedSchemas {
  readonly named: Record<string, unknown> = {};

  of(schema: z.core.$ZodType) {
    const text = JSON.stringify(z.toJSONSchema(schema)).replaceAll('"#/$defs/', '"#/components/schemas/');
    const { $schema: _, $defs, ...rest } = jsonSchemaSchema.parse(JSON.parse(text));
    Object.assign(this.named, $defs);
    return rest;
  }
}
