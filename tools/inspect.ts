/**
 * A job's machine and its way through it as text: `npm run inspect -- --job ID [--url http://127.0.0.1:8000]`.
 * Without a job: the running service's jobs in Stately Inspector, a page on the internet, through a relay on loopback.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { machineAnswerSchema, readJson } from './inspect/answers.ts';
import { jobAsText } from './inspect/job-text.ts';
import { relayToStately } from './inspect/stately-relay.ts';
import { transitionsResponseSchema } from '../src/http/transitions.ts';

try {
  const { values } = parseArgs({
    options: { job: { type: 'string' }, url: { type: 'string', default: 'http://127.0.0.1:8000' } },
  });
  const { url, job } = values;
  if (job === undefined) {
    const ending = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
    const relay = await relayToStately({ url, signal: ending.signal });
    process.stdout.write(
      `Jobs of ${url} are shown in Stately Inspector, which needs the internet:\n  ${relay.page}\nThe relay listens on ${relay.address} alone. End with Ctrl+C.\n`,
    );
    await relay.ended;
  } else {
    const machine = await readJson(`${url}/machines/job`, machineAnswerSchema);
    const life = await readJson(`${url}/video/jobs/${job}/transitions`, transitionsResponseSchema);
    process.stdout.write(jobAsText(machine, life));
  }
} catch (error) {
  process.stderr.write(`inspect: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
