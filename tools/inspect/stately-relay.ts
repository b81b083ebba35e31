import type { StatelyInspectionEvent } from '@statelyai/inspect';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { ReelstateClient } from '../../src/client/reelstate-client.ts';
import { statelyEvents } from './stately-events.ts';

const STATELY = 'https://stately.ai';
/** Milliseconds between polls of the service and of the page. */
const POLL_MS = 1_000;
/** Number of followed jobs. */
const FOLLOWED_JOBS = 50;
/** Events kept for pages that are opened later. */
const KEPT_EVENTS = 1_000;

export interface RelayOptions {
  /** Address of the running service. */
  readonly client: ReelstateClient;
  /** Aborting it ends the relay. */
  readonly signal: AbortSignal;
}

export interface Relay {
  /** Address to open in a browser. */
  readonly page: string;
  /** Host and port on loopback. */
  readonly address: string;
  /** Resolves when the relay has ended; rejects when the service no longer responds. */
  readonly ended: Promise<void>;
}

/**
 * Shows the jobs of a running service in Stately Inspector: polls the service for its newest jobs, and serves a page
 * that passes their transitions to Stately's in a frame. The package's own relay listens on every interface; this one
 * listens on 127.0.0.1 and responds only to requests with this address and the token in the page's address, because
 * jobs can be read here without a key.
 */
export async function relayToStately({ client, signal }: RelayOptions): Promise<Relay> {
  const machine = await client.machine('job');
  const events: StatelyInspectionEvent[] = [];
  let dropped = 0;
  const folder = `/${randomUUID()}/`;
  const server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    // Rejects pages of other names that point to this address.
    if (request.headers.host !== address || !path.startsWith(folder)) response.writeHead(403).end();
    else if (path === folder) response.writeHead(200, PAGE_HEADERS).end(PAGE);
    else if (path === `${folder}bridge.js`) {
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(BRIDGE);
    } else if (path === `${folder}events`) {
      const after = Math.max(0, Number(new URLSearchParams(query).get('after')) - dropped);
      const body = JSON.stringify({ events: events.slice(after), next: dropped + events.length });
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
    } else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const address = `127.0.0.1:${port}`;

  const follow = async (): Promise<void> => {
    const sentSeqs = new Map<string, number>();
    const seen = new Map<string, string>();
    try {
      while (!signal.aborted) {
        const { jobs } = await client.page({ limit: FOLLOWED_JOBS });
        for (const { job_id: jobId, updated_at: updatedAt } of jobs.toReversed()) {
          if (seen.get(jobId) === updatedAt) continue;
          const life = await client.transitions(jobId);
          events.push(...statelyEvents(machine, life, sentSeqs.get(jobId) ?? 0));
          sentSeqs.set(jobId, life.transitions.at(-1)?.seq ?? 0);
          seen.set(jobId, life.job.updated_at);
        }
        dropped += events.splice(0, events.length - KEPT_EVENTS).length;
        await wait(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  };
  return { page: `http://${address}${folder}`, address, ended: follow() };
}

const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': `default-src 'none'; script-src 'self'; connect-src 'self'; frame-src ${STATELY}; style-src 'unsafe-inline'; frame-ancestors 'none'`,
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <title>Stately Inspector</title>
    <style>body { margin: 0 } iframe { width: 100vw; height: 100vh; border: 0; display: block }</style>
    <script src="bridge.js" defer></script>
  </head>
  <body><iframe title="Stately Inspector" src="${STATELY}/inspect"></iframe></body>
</html>
`;

/** Events are sent only after Stately's page is ready. */
const BRIDGE = `const frame = document.querySelector('iframe');
let next = 0;
async function hand() {
  const answer = await (await fetch('events?after=' + next)).json();
  next = answer.next;
  for (const event of answer.events) frame.contentWindow.postMessage(event, '${STATELY}');
  setTimeout(hand, ${POLL_MS});
}
addEventListener('message', ({ origin, data }) => {
  if (origin === '${STATELY}' && data?.type === '@statelyai.connected' && next === 0) hand();
});
`;
