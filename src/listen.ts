import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { KeyRing } from './api-keys.ts';
import { hasKeys, isLoopback, type Config } from './config.ts';
import { ServiceError } from './errors.ts';
import { AddressList } from './http/addresses.ts';
import { createApp, type AppOptions } from './http/app.ts';
import { Rejections } from './http/rejections.ts';
import type { HostPolicy } from './http/middleware/origin-guard.ts';
import { SHOWN_MACHINES } from './http/routes/machines.ts';
import { Pages } from './http/routes/pages.ts';
import { createHttpServer, type ServerOptions } from './http/server.ts';
import { z } from 'zod';

/** Milliseconds over which the rate of an upload is measured: longer than a network needs to change its path. */
const UPLOAD_WINDOW_MS = 30_000;

const packageSchema = z.object({ version: z.string() });

/** The dependencies of the app. Tests replace some settings of `AppOptions`. */
export interface ListenOptions
  extends
    Pick<
      AppOptions,
      | 'engine'
      | 'reads'
      | 'storage'
      | 'segments'
      | 'search'
      | 'thumbnails'
      | 'pictures'
      | 'pipelines'
      | 'incomingDir'
      | 'isolation'
      | 'ffmpeg'
      | 'metrics'
      | 'deadWorkers'
      | 'isDamaged'
      | 'refusals'
      | 'workers'
      | 'waitingFor'
      | 'log'
    >,
    Partial<Pick<AppOptions, 'machines' | 'uploadWindowMs'>>,
    Pick<ServerOptions, 'lingerMs'> {
  readonly config: Config;
}

export interface Listener {
  readonly url: string;
  readonly server: Server;
}

/** Serves the app at the configured address. */
export async function listen({ config, ...parts }: ListenOptions): Promise<Listener> {
  const { version } = packageSchema.parse(
    JSON.parse(await readFile(new URL(import.meta.resolve('#package.json')), 'utf8')),
  );
  const { log, metrics, lingerMs } = parts;
  const keyRing = await KeyRing.open({ keys: config.API_KEYS, file: config.API_KEYS_FILE, log });
  const trustedProxies = new AddressList(config.TRUSTED_PROXIES ?? []);
  const app = createApp({
    machines: SHOWN_MACHINES,
    uploadWindowMs: UPLOAD_WINDOW_MS,
    ...parts,
    basePath: config.BASE_PATH,
    keys: () => keyRing.current(),
    hosts: hostsOf(config),
    trustedProxies,
    requestsPerS: config.REQUESTS_PER_S,
    maxUploads: config.MAX_UPLOADS,
    maxPending: config.MAX_PENDING,
    clientShare: config.CLIENT_SHARE_PERCENT / 100,
    isSharedByKeys: () => (keyRing.current()?.length ?? 0) > 1,
    maxUploadBytes: config.MAX_UPLOAD_BYTES,
    minUploadBytesPerS: config.MIN_UPLOAD_BYTES_PER_S,
    uploadTimeoutMs: config.UPLOAD_TIMEOUT_MS,
    idempotencyTtlMs: config.IDEMPOTENCY_TTL_MS,
    diskReserveBytes: config.DISK_RESERVE_BYTES,
    keepFileNames: config.KEEP_FILE_NAMES,
    pages: await Pages.open(),
    version,
  });
  const server = createHttpServer(app, {
    maxConnections: config.MAX_CONNECTIONS,
    maxConnectionsPerAddress: config.MAX_CONNECTIONS_PER_ADDRESS,
    trustedProxies,
    rejections: new Rejections({ log, count: (reason) => metrics.countRejection(reason) }),
    ...(lingerMs === undefined ? {} : { lingerMs }),
  });
  server.once('close', () => keyRing.close());
  server.listen(config.PORT, config.HOST);
  await once(server, 'listening');
  return { url: urlOf(server), server };
}

/** With keys, a page under a foreign name gets nothing; without keys, the name must be known. */
function hostsOf(config: Config): HostPolicy {
  const { HOST, ALLOWED_HOSTS: names = [] } = config;
  if (hasKeys(config)) return { accepts: names.length === 0 ? 'any' : 'address', names };
  return {
    accepts: isLoopback(HOST) && !config.ALLOW_ANONYMOUS ? 'loopback' : 'address',
    names: [HOST.toLowerCase(), ...names],
  };
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new ServiceError('internal', 'the server has no port');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
