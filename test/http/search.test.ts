import { once } from 'node:events';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { storeAnalysis } from '../../src/analysis/store-analysis.ts';
import { resultsPathOf, segmentsPathOf } from '../../src/engine/sidecar.ts';
import { searchResponseSchema } from '../../src/http/routes/search.ts';
import type { JobId } from '../../src/job.ts';
import { framesOf, times } from '../segments/frames.ts';
import { openService, problemOf, send, type Answer, type ServiceUnderTest } from './service-under-test.ts';

describe('GET /video/search', () => {
  let service: ServiceUnderTest;
  let first: JobId;
  let second: JobId;
  before(async () => {
    service = await openService();
    service.search.start();
    first = await completed('Payment failed');
    second = await completed('payment received');
    await indexed();
  });
  after(() => service.close());

  const get = (parameters: Record<string, string>) =>
    fetch(`${service.url}/video/search?${new URLSearchParams(parameters).toString()}`);
  const search = async (parameters: Record<string, string>) => {
    const answer = await get(parameters);
    expect(answer.status).to.equal(200);
    return searchResponseSchema.parse(await answer.json());
  };
  const indexed = async (): Promise<void> => {
    while (!service.search.state().isComplete) await setTimeout(2);
  };
  const completed = async (text: string): Promise<JobId> => {
    const id = await service.submit();
    await service.engine.dispatch(id, { type: 'START' });
    async function* frames() {
      yield* framesOf(...times(5, text));
      return undefined;
    }
    const { outputPath } = await storeAnalysis(frames(), {
      storage: service.storage,
      resultsPath: resultsPathOf(id),
      segmentsPath: segmentsPathOf(id),
      maxResultsBytes: 1_000_000,
      signal: new AbortController().signal,
    });
    await service.engine.dispatch(id, { type: 'COMPLETE', attempt: 1, outputPath });
    return id;
  };

  it('returns the videos that show the words, with the segments', async () => {
    const { hits, complete, next_cursor: next } = await search({ q: 'PAYMENT' });
    expect({ complete, next }).to.deep.equal({ complete: true, next: null });
    expect(hits.map(({ job_id: id, segments }) => [id, segments.map((segment) => segment.kind)])).to.deep.equal([
      [second, ['text']],
      [first, ['text']],
    ]);
    expect(hits[1]?.segments[0]).to.include({ text: 'Payment failed', start_ms: 0 });
  });

  it('pages by cursor', async () => {
    const page = await search({ q: 'payment', limit: '1' });
    expect(page.hits.map(({ job_id: id }) => id)).to.deep.equal([second]);
    const last = await search({ q: 'payment', limit: '1', cursor: page.next_cursor ?? '' });
    expect(last.hits.map(({ job_id: id }) => id)).to.deep.equal([first]);
    expect(last.next_cursor).to.equal(null);
  });

  it('rejects invalid parameters with the reason', async () => {
    const refused: readonly (readonly [Record<string, string>, string])[] = [
      [{}, 'q or label is missing'],
      [{ q: '…' }, 'q must contain a letter or a digit'],
      [{ q: 'x'.repeat(201) }, 'q must have at most 200 characters'],
      [{ q: 'a', limit: '0' }, 'limit must be at least 1'],
      [{ q: 'a', limit: '101' }, 'limit must be at most 100'],
      [{ q: 'a', cursor: 'x' }, 'cursor is not a next_cursor'],
      [{ q: 'a', from: 'yesterday' }, 'from must be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z'],
      [
        { q: 'payment', from: '9999-12-31T23:59:59-01:00' },
        'from must be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z',
      ],
      [
        { q: 'payment', to: '0000-01-01T00:00:00+01:00' },
        'to must be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z',
      ],
      [{ q: 'payment', pipeline_id: "ocr'\0" }, 'pipeline_id must have 1 to 100 characters'],
      [{ q: 'a', from: '2026-02-01', to: '2026-01-31' }, 'to must be later than from'],
    ];
    for (const [parameters, detail] of refused) {
      const answer = await get(parameters);
      expect(answer.status).to.equal(422);
      expect((await problemOf(answer)).detail).to.equal(detail);
    }
  });

  it('finds nothing of a job whose files are deleted', async () => {
    const id = await completed('deleted words');
    await indexed();
    expect((await search({ q: 'deleted' })).hits).to.have.lengthOf(1);
    expect((await fetch(`${service.url}/video/jobs/${id}`, { method: 'DELETE' })).status).to.equal(200);
    expect((await search({ q: 'deleted' })).hits).to.deep.equal([]);
  });
});

it('a search waits for the last one of its client, and not for those of others', async () => {
  const begun: string[] = [];
  const waiting: (() => void)[] = [];
  const service = await openService({
    search: {
      async search({ text = '' }) {
        begun.push(text);
        await new Promise<void>((resolve) => waiting.push(resolve));
        return { hits: [], isComplete: true, next: undefined };
      },
      state: () => ({ isComplete: true, videos: 0 }),
    },
  });
  try {
    const ask = (localAddress: string, q: string): Promise<Answer> =>
      send(service.port, { method: 'GET', path: `/video/search?q=${q}`, localAddress });
    const untilBegun = async (count: number): Promise<void> => {
      while (begun.length < count) await setImmediate();
    };
    const arrived = once(service.server, 'request');
    const first = ask('127.0.0.1', 'first');
    await arrived;
    await untilBegun(1);
    const queued = once(service.server, 'request');
    const second = ask('127.0.0.1', 'second');
    await queued;
    const other = ask('127.0.0.2', 'other');
    await untilBegun(2);
    expect(begun).to.deep.equal(['first', 'other']);
    for (const end of waiting.splice(0)) end();
    await Promise.all([first, other]);
    await untilBegun(3);
    for (const end of waiting.splice(0)) end();
    expect((await second).status).to.equal(200);
  } finally {
    await service.close();
  }
});
