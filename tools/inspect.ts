/**
 * Prints the machine and the path of a job: `npm run inspect -- --job ID [--url http://127.0.0.1:8000]`. Without a job:
 * shows the jobs of the running service in Stately Inspector, a page on the internet, through a relay on loopback.
 */
import { parseArgs } from 'node:util';
import { jobText } from '../src/cli/job-text.ts';
import { ReelstateClient } from '../src/client/reelstate-client.ts';
import { messageOf } from '../src/errors.ts';
import { relayToStately } from './inspect/stately-relay.ts';

try {
  const { values } = parseArgs({
    options: { job: { type: 'string' }, url: { type: 'string', default: 'http://127.0.0.1:8000' } },
  });
  const { url, job } = values;
  const { REELSTATE_API_KEY: apiKey } = process.env;
  const client = new ReelstateClient({ url, ...(apiKey === undefined ? {} : { apiKey }) });
  if (job === undefined) {
    const ending = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
    const relay = await relayToStately({ client, signal: ending.signal });
    process.stdout.write(
      `Jobs of ${url} are shown in Stately Inspector, which needs the internet:\n  ${relay.page}\nThe relay listens on ${relay.address} alone. End with Ctrl+C.\n`,
    );
    await relay.ended;
  } else {
    process.stdout.write(jobText(await client.machine('job'), await client.transitions(job)));
  }
} catch (error) {
  process.stderr.write(`inspect: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
