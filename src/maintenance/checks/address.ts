import { once } from 'node:events';
import { createServer } from 'node:net';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { warning, ok, failed, type CheckResult } from '../check-result.ts';

const CHECK = 'address';
/** A program that accepts a connection and sends no response in this time (milliseconds) is not Reelstate. */
const ANSWER_WITHIN_MS = 5_000;

const healthSchema = z.object({ status: z.literal('ok'), version: z.string(), isolation: z.array(z.string()) });
const problemSchema = z.object({ code: z.string(), detail: z.string(), request_id: z.string() });

export interface AddressCheck {
  readonly finding: CheckResult;
  /** Returns true if a Reelstate service responds. */
  readonly isServing: boolean;
}

/** Checks whether the service can listen on its address, or already does. @param version of this program */
export async function checkAddress(host: string, port: number, version: string): Promise<AddressCheck> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    const message = port === 0 ? `a free port of ${host} will be picked` : `${host}:${port} is free`;
    return { finding: ok(CHECK, message), isServing: false };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') return await whoAnswers(host, port, version);
    const fix =
      code === 'EACCES' ? 'Take a PORT from 1024 on, behind a proxy' : 'Set HOST to an address of this machine';
    return { finding: failed(CHECK, messageOf(error), fix), isServing: false };
  } finally {
    server.close();
  }
}

async function whoAnswers(host: string, port: number, version: string): Promise<AddressCheck> {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), redirect: 'error' });
    const body: unknown = await answer.json();
    if (!answer.ok) {
      const { detail } = problemSchema.parse(body);
      return {
        finding: failed(CHECK, `the service at ${url} reports a failure: ${detail}`, 'Restart it'),
        isServing: true,
      };
    }
    const { version: running } = healthSchema.parse(body);
    const message = `the service answers at ${url}, version ${running}`;
    if (running === version) return { finding: ok(CHECK, message), isServing: true };
    const fix = 'Restart it: it runs from an older build';
    return { finding: warning(CHECK, `${message}, and this is ${version}`, fix), isServing: true };
  } catch {
    const message = `${host}:${port} is taken by another program`;
    return { finding: failed(CHECK, message, 'Stop that program, or set another PORT'), isServing: false };
  }
}
