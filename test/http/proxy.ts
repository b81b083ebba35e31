import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const addressSchema = z.custom<AddressInfo>((value) => typeof value === 'object' && value !== null && 'port' in value);

export interface ProxyOptions {
  /** Port of the service. */
  readonly port: number;
  /** The forwarded path; others get 404. */
  readonly basePath?: string;
  /** True if the proxy removes the base path. */
  readonly strips?: boolean;
  /** Additional headers for the service. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A proxy like nginx: it passes on the `Host` and all requests below its path. */
export async function openProxy({ port, basePath = '', strips = false, headers = {} }: ProxyOptions) {
  const server = createServer((incoming, outgoing) => {
    const url = incoming.url ?? '';
    if (basePath !== '' && url !== basePath && !url.startsWith(`${basePath}/`)) {
      outgoing.writeHead(404).end();
      return;
    }
    const path = strips ? url.slice(basePath.length) : url;
    const passed = request({
      host: '127.0.0.1',
      port,
      path,
      method: incoming.method,
      headers: { ...incoming.headers, ...headers },
    });
    passed.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${addressSchema.parse(server.address()).port}`,
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
