import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { createHash } from 'node:crypto';
import openClient from 'swagger-client';
import { z } from 'zod';
import { ENDPOINTS } from '../../src/http/endpoints.ts';
import { submitResponseSchema, statusResponseSchema } from '../../src/http/schemas.ts';
import { openService, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

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

  it('is OpenAPI 3.1, as a validator sees it', async () => {
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

  it('is enough for a client that somebody else made, to submit a video and follow it', async () => {
    const client = await openClient(`${service.url}/openapi.json`);
    const securities = { authorized: { key: { value: 'client' } } };
    const submitted = await client.execute({
      operationId: 'submit',
      parameters: { pipeline_id: 'ocr_only', frame_stride: 5, 'Idempotency-Key': 'mine' },
      requestBody: { file: new File([VIDEO], 'video.mp4') },
      securities,
    });
    expect(submitted.status).to.equal(202);
    const { job_id: jobId } = submitResponseSchema.parse(JSON.parse(submitted.text));
    expect((await service.engine.get(jobId)).options).to.deep.equal({ frame_stride: 5 });
    const status = await client.execute({ operationId: 'status', parameters: { job_id: jobId }, securities });
    expect(statusResponseSchema.parse(JSON.parse(status.text))).to.include({ job_id: jobId, status: 'pending' });
  });

  it('is there for people too, on a page that loads nothing from elsewhere and runs nothing', async () => {
    const answer = await fetch(`${service.url}/docs`);
    expect(answer.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).to.match(
      /^default-src 'none'; style-src 'self'; img-src 'self'/,
    );
    const html = await answer.text();
    expect(html).not.to.match(/<script|https:|\son\w+=|\sstyle=/);
    for (const { method, path, name } of ENDPOINTS) {
      expect(html).to.contain(`<section id="${name}">`).and.to.contain(`<code>${method} ${path}</code>`);
    }
    for (const [, link = ''] of html.matchAll(/(?:href|src)="(\/[^"]*)"/g)) {
      expect((await fetch(service.url + link)).status, link).to.equal(200);
    }
  });
});
