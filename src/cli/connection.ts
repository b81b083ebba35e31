import { InvalidArgumentError, Option, type Command } from 'commander';
import { ReelstateClient } from '../client/reelstate-client.ts';

/** Global options of every command that sends requests to a service. */
export interface Connection {
  readonly client: ReelstateClient;
  /** The service's address. */
  readonly url: string;
  /** Print responses as JSON. */
  readonly json: boolean;
}

/** Options accepted before or after every command. */
export function globalOptions(): readonly Option[] {
  return [
    new Option('--url <url>', 'address of the service')
      .env('REELSTATE_URL')
      .default('http://127.0.0.1:8000')
      .argParser(addressOf),
    new Option('--json', 'print one JSON object per line, as the service returns it').default(false),
  ];
}

/** Reads the key from the environment only: every user of the machine can read command lines. */
export function connect(command: Command): Connection {
  const { url, json } = command.optsWithGlobals<{ readonly url: string; readonly json: boolean }>();
  const { REELSTATE_API_KEY: apiKey = '' } = process.env;
  const client = new ReelstateClient({ url, ...(apiKey === '' ? {} : { apiKey }) });
  return { client, url, json };
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return Number(text);
}

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search + url.hash !== '') {
    throw new InvalidArgumentError('It must be an address such as http://127.0.0.1:8000.');
  }
  return url.href.replace(/\/+$/, '');
}
