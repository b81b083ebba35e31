import { once } from 'node:events';
import { createServer } from 'node:net';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { warning, well, wrong, type Finding } from '../finding.ts';

const CHECK = 'address';
/** A program that takes a connection and says nothing is not ours; in milliseconds. */
const ANSWER_WITHIN_MS = 5_000;

const healthSchema = z.object({ status: z.literal('ok'), version: z.string(), isolation: z.array(z.string()) });
const problemSchema = z.object({ code: z.string(), detail: z.string(), request_id: z.string() });

export interface AddressCheck {
  readonly finding: Finding;
  /** True when a service of ours answers there. */
  readonly isServing: boolean;
}

/** Whether the service could listen where it is to, or does already. @param version of this code */
export async function checkAddress(host: string, port: number, version: string): Promise<AddressCheck> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    const says = port === 0 ? `a free port of ${host} will be picked` : `${host}:${port} is free`;
    return { finding: well(CHECK, says), isServing: false };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') return await whoAnswers(host, port, version);
    const remedy =
      code === 'EACCES' ? 'Take a PORT from 1024 on, behind a proxy' : 'Set HOST to an address of this machine';
    return { finding: wrong(CHECK, messageOf(error), remedy), isServing: false };
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
      return { finding: wrong(CHECK, `the service at ${url} is not well: ${detail}`, 'Restart it'), isServing: true };
    }
    const { version: running } = healthSchema.parse(body);
    const says = `the service answers at ${url}, version ${running}`;
    if (running === version) return { finding: well(CHECK, says), isServing: true };
    const remedy = 'Restart it: it runs from an older build';
    return { finding: warning(CHECK, `${says}, and this is ${version}`, remedy), isServing: true };
  } catch {
    const says = `${host}:${port} is taken by another program`;
    return { finding: wrong(CHECK, says, 'Stop that program, or set another PORT'), isServing: false };
  }
}
