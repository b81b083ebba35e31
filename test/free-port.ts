import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { z } from 'zod';

const addressSchema = z.custom<AddressInfo>((value) => typeof value === 'object' && value !== null && 'port' in value);

/** A port of 127.0.0.1 that was free a moment ago, for a program that cannot choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = addressSchema.parse(server.address());
  server.close();
  await once(server, 'close');
  return port;
}
