import { createBrowserReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createMachine } from 'xstate';
import { z } from 'zod';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import type { JobId } from '../../src/job.ts';
import { ReelstateClient } from '../../src/client/reelstate-client.ts';
import { relayToStately } from '../../tools/inspect/stately-relay.ts';
import { form, openService, VIDEO, type ServiceUnderTest } from '../http/service-under-test.ts';

const INSPECT = fileURLToPath(new URL('../../tools/inspect.js', import.meta.url));
const eventsSchema = z.object({ events: z.array(z.custom<StatelyInspectionEvent>()), next: z.number() });

describe('npm run inspect', function () {
  let service: ServiceUnderTest;
  let jobId: JobId;
  before(async () => {
    service = await openService();
    const answer = await fetch(`${service.url}/video/submit`, {
      method: 'POST',
      body: form({ pipeline_id: 'ocr_only' }, VIDEO),
    });
    jobId = submitResponseSchema.parse(await answer.json()).job_id;
    await service.engine.dispatch(jobId, { type: 'START' });
    await service.engine.dispatch(jobId, { type: 'INTERRUPT', attempt: 1, code: 'stalled', message: 'no frame came' });
    await service.engine.dispatch(jobId, { type: 'START' });
    await service.engine.dispatch(jobId, { type: 'FAIL', attempt: 2, code: 'invalid_video', message: 'no picture' });
  });
  after(() => service.close());

  const inspect = (...parameters: readonly string[]) => promisify(execFile)(process.execPath, [INSPECT, ...parameters]);

  it('prints the chart, the state and the path of a job', async () => {
    const { stdout } = await inspect('--job', jobId, '--url', service.url);
    const lines = stdout.split('\n').map((line) => line.trimEnd().replaceAll(/ {2,}/g, '  '));
    expect(lines[0]).to.equal(`Job ${jobId} · ocr_only · failed`);
    expect(lines).to.include.members([
      '  invalid_video: no picture',
      '  ○ pending',
      '  START  → running  × 2',
      '  INTERRUPT [mayTryAgain]  → pending  × 1',
      '  ● failed (final)',
      '  completed (final)',
    ]);
    const path = lines.filter((line) => /^ +\d+ +\d{4}-/.test(line)).map((line) => line.replace(/\d{4}-\S+Z/, 'T'));
    expect(path.map((line) => line.replace(/ {2}\d[\d.]* m?s$/, ''))).to.deep.equal([
      '  1  T  attempt 0  SUBMIT  → pending',
      '  2  T  attempt 1  START  pending → running',
      '  3  T  attempt 1  INTERRUPT  running → pending',
      '  4  T  attempt 2  START  pending → running',
      '  5  T  attempt 2  FAIL  running → failed',
    ]);
  });

  it('reports an error in one line and fails', async () => {
    const failure = async (...parameters: readonly string[]) => {
      try {
        await inspect(...parameters);
      } catch (error) {
        return z.object({ code: z.number(), stderr: z.string() }).parse(error);
      }
      throw new Error('it did not fail');
    };
    expect(await failure('--job', 'none', '--url', service.url)).to.deep.equal({
      code: 1,
      stderr: 'inspect: There is no such job: its id is not a UUID\n',
    });
    expect(await failure('--job', jobId, '--url', 'http://127.0.0.1:9')).to.deep.equal({
      code: 1,
      stderr: 'inspect: no response from http://127.0.0.1:9\n',
    });
  });

  it('passes the transitions of a job to Stately’s receiver, on loopback only', async () => {
    const ending = new AbortController();
    const relay = await relayToStately({ client: new ReelstateClient({ url: service.url }), signal: ending.signal });
    try {
      expect(relay.address).to.match(/^127\.0\.0\.1:\d+$/);
      const foreign = await fetch(`http://localhost:${new URL(relay.page).port}/events?after=0`).catch(() => null);
      if (foreign !== null) expect(foreign.status).to.equal(403);
      for (const path of ['//', '/', '/events?after=0', '/a-guess/events', '*'])
        expect(await statusOf(relay.address, path)).to.equal(403);
      let events: readonly StatelyInspectionEvent[] = [];
      while (events.length === 0) {
        const answer = await fetch(`${relay.page}events?after=0`);
        ({ events } = eventsSchema.parse(await answer.json()));
      }
      const received: StatelyInspectionEvent[] = [];
      const listeners: ((message: { readonly data: unknown }) => void)[] = [];
      const page = {
        addEventListener: (_name: string, listener: (typeof listeners)[number]) => listeners.push(listener),
      };
      createBrowserReceiver({ window: Object(page) }).subscribe((event) => received.push(event));
      for (const data of events) for (const listener of listeners) listener({ data });
      expect(received).to.deep.equal(events);
      expect(received.map(({ type }) => type)).to.deep.equal([
        '@xstate.actor',
        ...Array.from({ length: 4 }, () => ['@xstate.event', '@xstate.snapshot']).flat(),
      ]);
      const [actor] = received;
      if (actor?.type !== '@xstate.actor') throw new Error('no actor');
      expect(actor.sessionId).to.equal(jobId);
      // Stately's chart is created from a valid machine.
      const machine = createMachine(JSON.parse(actor.definition ?? ''));
      expect(Object.keys(machine.states)).to.deep.equal(['pending', 'running', 'completed', 'failed']);
      expect(Object(received.at(-1)).snapshot).to.include({ status: 'done', value: 'failed' });
      const bridge = await fetch(relay.page);
      expect(bridge.headers.get('content-security-policy')).to.contain('frame-src https://stately.ai;');
    } finally {
      ending.abort();
      await relay.ended;
    }
  });
});

/** Status of a GET whose path is sent unchanged. */
async function statusOf(address: string, path: string): Promise<number> {
  const { hostname, port } = new URL(`http://${address}`);
  return new Promise((resolve, reject) => {
    get({ hostname, port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).once('error', reject);
  });
}
