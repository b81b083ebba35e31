import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { describeApi } from '../../src/http/routes/openapi.ts';

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(describeApi('0'), 'api');

/** Responses without a description: pages and their assets. */
const PAGES = /^\/(|inspector|sign-in|docs|openapi\.json|(?:web|client|assets)\/.*)$/;

/**
 * Validates every response of a server against the OpenAPI description.
 * @returns the growing list of mismatches
 */
export function checkAnswers(server: Server, basePath = ''): readonly string[] {
  const faults: string[] = [];
  const watch = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    const keep = (chunk: unknown): void => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    };
    for (const name of ['write', 'end']) {
      const original: unknown = Reflect.get(response, name);
      if (typeof original !== 'function') throw new Error(`a response has no ${name}`);
      Reflect.set(response, name, (...given: readonly unknown[]): unknown => {
        keep(given[0]);
        return Reflect.apply(original, response, given);
      });
    }
    response.once('finish', () => {
      const fault = faultOf(request, response, basePath, bodyOf(response, Buffer.concat(chunks)));
      if (fault !== undefined) faults.push(`${request.method} ${request.url}: ${response.statusCode} ${fault}`);
    });
  };
  server.prependListener('request', watch);
  server.prependListener('checkContinue', watch);
  return faults;
}

function bodyOf(response: ServerResponse, bytes: Buffer): string {
  const isCompressed = response.getHeader('Content-Encoding') === 'gzip' && bytes.length > 0;
  return (isCompressed ? gunzipSync(bytes) : bytes).toString();
}

function faultOf(
  request: IncomingMessage,
  response: ServerResponse,
  basePath: string,
  body: string,
): string | undefined {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const path = pathOf(request.url ?? '', basePath);
  const status = response.statusCode;
  const type = String(response.getHeader('Content-Type') ?? '').replace(/;.*$/, '');
  const isProblem = type === 'application/problem+json';
  if (status >= 400 && !isProblem) return `is refused with ${type}`;
  const endpoint = ENDPOINTS.find((known) => known.method === method && patternOf(known.path).test(path));
  if (endpoint === undefined) {
    if (isProblem) return faultIn('api#/components/schemas/Problem', body, request);
    return PAGES.test(path) || path === basePath || method === 'OPTIONS' ? undefined : 'is not described';
  }
  const pointer = [endpoint.path, endpoint.method.toLowerCase()].map((part) => part.replaceAll('/', '~1')).join('/');
  const described = ajv.getSchema(`api#/paths/${pointer}/responses/${status}`)?.schema;
  if (described === undefined) return 'is not described';
  if (status === 204 || status === 304) return body === '' ? undefined : 'has a body';
  if (!type.endsWith('json')) return type in endpoint.responses ? undefined : `is ${type}`;
  const schema = `api#/paths/${pointer}/responses/${status}/content/${type.replace('/', '~1')}/schema`;
  return faultIn(schema, body, request);
}

function faultIn(schema: string, body: string, { method }: IncomingMessage): string | undefined {
  if (method === 'HEAD') return undefined;
  const check = ajv.getSchema(schema);
  if (check === undefined) return `has no schema at ${schema}`;
  return check(JSON.parse(body)) === true ? undefined : `${ajv.errorsText(check.errors)}: ${body.slice(0, 500)}`;
}

function pathOf(url: string, basePath: string): string {
  const [path = ''] = url.split('?');
  return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 'i');
}
