import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../../src/errors.ts';
import { memoryOf } from '../child-processes.ts';
import { startService } from '../service-process.ts';
import { makeMultipartBody, type MultipartBody } from './multipart-body.ts';

export interface MultipartOptions {
  /** For the service's data. */
  readonly folder: string;
  readonly seed: number;
  readonly indices: readonly number[];
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface MultipartReport {
  /** By status. */
  readonly outcomes: ReadonlyMap<number, number>;
  readonly findings: readonly string[];
  readonly serviceBytes: { readonly begin: number; readonly end: number };
}

const IN_FLIGHT = 10;
const RESPONSE_WITHIN_MS = 60_000;
const SAY_EVERY = 5_000;
/** No limit stops the campaign. Every job ends soon, because its file is not a video. */
const SETTINGS = { LOG_LEVEL: 'error', PIPELINE_THREADS: '1', MAX_ATTEMPTS: '1', CLIENT_SHARE_PERCENT: '100' };

/**
 * Sends malformed bodies to its own service. Findings are a missing response, a response of 500, a service that ended,
 * and a file that was left over.
 */
export async function runMultipartCampaign(options: MultipartOptions): Promise<MultipartReport> {
  const { folder, seed, indices, signal, say } = options;
  const dataDir = join(folder, 'data');
  const service = await startService({ dataDir, signal, settings: SETTINGS });
  const outcomes = new Map<number, number>();
  const findings: string[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  try {
    const begin = memoryOf(service.pid)?.now ?? 0;
    let done = 0;
    const waiting = indices.values();
    const sender = async (): Promise<void> => {
      for (const index of waiting) {
        signal.throwIfAborted();
        const body = makeMultipartBody(seed, index);
        try {
          const status = await send(service.url, agent, body, signal);
          outcomes.set(status, (outcomes.get(status) ?? 0) + 1);
          if (status === 500) findings.push(`index ${index}: 500 (${body.story})`);
        } catch (error) {
          signal.throwIfAborted();
          findings.push(`index ${index}: no response: ${messageOf(error)} (${body.story})`);
        }
        done += 1;
        if (done % SAY_EVERY === 0) say(`${done} of ${indices.length}`);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
    const end = memoryOf(service.pid)?.now;
    if (end === undefined) findings.push(`the service is gone: ${service.lines.join('\n')}`);
    const incoming = join(dataDir, 'video_jobs', 'incoming');
    for (let looks = 100; looks > 0 && (await readdir(incoming)).length > 0; looks -= 1) await wait(50);
    for (const name of await readdir(incoming)) findings.push(`left over: incoming/${name}`);
    return { outcomes, findings, serviceBytes: { begin, end: end ?? 0 } };
  } finally {
    agent.destroy();
    const code = await service.stop();
    if (code !== 0) say(`the service stopped with ${code}:\n${service.lines.join('\n')}`);
  }
}

/** Resolves with the status of the response. */
async function send(url: string, agent: Agent, body: MultipartBody, abort: AbortSignal): Promise<number> {
  const signal = AbortSignal.any([abort, AbortSignal.timeout(RESPONSE_WITHIN_MS)]);
  const sending = request(`${url}/video/submit?pipeline_id=ocr_only`, {
    agent,
    method: 'POST',
    headers: { 'Content-Type': body.contentType },
    signal,
  });
  const responded = once(sending, 'response', { signal });
  for (const chunk of body.chunks) sending.write(chunk);
  sending.end();
  const [response] = await responded;
  for await (const _ of response);
  return response.statusCode;
}
