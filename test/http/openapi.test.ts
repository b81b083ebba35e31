import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from 'openapi-typescript-codegen';
import { z } from 'zod';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { submitResponseSchema, statusResponseSchema } from '../../src/http/schemas.ts';
import { openService, VIDEO, type ServiceUnderTest } from './service-under-test.ts';
import { jobIn } from '../job-in.ts';

describe('the description of the API', () => {
  let service: ServiceUnderTest;
  before(async () => {
    service = await openService({
      keys: [{ sha256: createHash('sha256').update('client').digest('hex'), scopes: ['submit', 'read'] }],
    });
  });
  after(() => service.close());

  const described = async () => {
    const answer = await fetch(`${service.url}/openapi.json`);
    expect(answer.status).to.equal(200);
    return z
      .looseObject({ openapi: z.string(), paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
      .parse(await answer.json());
  };

  it('is valid OpenAPI 3.1', async () => {
    const description = await described();
    expect(description.openapi).to.equal('3.1.0');
    const { valid, errors } = await new Validator().validate(description);
    expect(valid, JSON.stringify(errors)).to.equal(true);
  });

  it('has every endpoint', async () => {
    const { paths } = await described();
    const operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations).to.have.members(ENDPOINTS.map(({ method, path }) => `${method} ${path}`));
  });

  it('allows a generated client that compiles, submits a video and polls it', async function () {
    const folder = await mkdtemp(join(tmpdir(), 'generated-'));
    try {
      await generate({ input: await described(), output: folder, httpClient: 'fetch', useOptions: true });
      await compile(folder);
      const { OpenAPI, DefaultService: generated } = clientSchema.parse(createRequire(import.meta.url)(folder));
      Object.assign(OpenAPI, { BASE: service.url, HEADERS: { 'X-API-Key': 'client' } });
      const submitted = await generated.submit({
        formData: { file: new File([VIDEO], 'video.mp4') },
        pipelineId: 'ocr_only',
        frameStride: 5,
        idempotencyKey: 'mine',
      });
      const { job_id: jobId } = submitResponseSchema.parse(submitted);
      expect((await jobIn(service.store, jobId)).options).to.deep.equal({ frame_stride: 5 });
      const status = statusResponseSchema.parse(await generated.status({ jobId }));
      expect(status).to.include({ job_id: jobId, status: 'pending' });
      const refusal: unknown = await generated.results({ jobId }).catch((error: unknown) => error);
      expect(refusal).to.have.nested.property('body.code', 'job_not_completed');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has a page for people without scripts and external resources', async () => {
    const answer = await fetch(`${service.url}/docs`);
    expect(answer.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).to.match(
      /^default-src 'none'; style-src 'self'; img-src 'self'/,
    );
    const html = await answer.text();
    expect(html).to.contain(`curl ${service.url}/video/jobs`).and.not.to.contain(':8000');
    expect(html).not.to.match(/<script|https:|\son\w+=|\sstyle=/);
    for (const { method, path, operationId } of ENDPOINTS) {
      expect(html).to.contain(`<section id="${operationId}">`).and.to.contain(`<code>${method} ${path}</code>`);
    }
    for (const [, link = ''] of html.matchAll(/(?:href|src)="([^"#][^"]*)"/g)) {
      expect((await fetch(new URL(link, answer.url))).status, link).to.equal(200);
    }
  });
});

type Operation = (given: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** The used part of the generated client. */
const clientSchema = z.object({
  OpenAPI: z.custom<object>((settings) => typeof settings === 'object'),
  DefaultService: z.custom<Readonly<Record<'submit' | 'status' | 'results', Operation>>>(
    (made) => typeof made === 'function',
  ),
});

/** Compiles a generated client in strict mode. */
async function compile(folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}');
  const compiler = fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.resolve('#package.json')));
  const options = ['--strict', '--module', 'commonjs', '--moduleResolution', 'bundler', '--target', 'es2022'];
  const { status, stdout } = spawnSync(
    process.execPath,
    [compiler, ...options, '--lib', 'es2022,dom,dom.iterable', '--types', '', join(folder, 'index.ts')],
    { cwd: folder, encoding: 'utf8' },
  );
  expect(status, stdout).to.equal(0);
}
