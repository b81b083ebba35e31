import type Koa from 'koa';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { clientNetwork, type AddressList } from './addresses.ts';
import { LINGER_MS } from './linger.ts';
import type { RequestState } from './middleware/request-state.ts';
import { rawProblem } from './problem.ts';
import type { Rejections } from './rejections.ts';

/** Milliseconds in which the headers of a request must arrive, and between checks for this. */
const HEADERS_TIMEOUT_MS = 15_000;
const TIMEOUT_LOOK_MS = 5_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** Milliseconds without a byte in either direction after which a connection is closed. */
const IDLE_TIMEOUT_MS = 120_000;

export interface ServerOptions {
  readonly maxConnections: number;
  /** Connections of one address or IPv6 /64 network. */
  readonly maxConnectionsPerAddress: number;
  /** Their connections come from many clients and are not limited. */
  readonly trustedProxies: AddressList;
  readonly rejections: Pick<Rejections, 'add'>;
  /** Milliseconds for which a body may continue after its response. */
  readonly lingerMs?: number;
}

/**
 * Node's server, configured for long uploads: a request may take as long as it makes progress, and a client that sends
 * `Expect: 100-continue` receives a rejection before it sends its video. Errors that Node.js detects are also problem
 * documents.
 */
export function createHttpServer(app: Koa<RequestState>, options: ServerOptions): Server {
  const { rejections, lingerMs = LINGER_MS } = options;
  const callback = app.callback();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    response.once('finish', () => endBody(request, lingerMs, rejections));
    void callback(request, response);
  };
  const server = createServer(
    {
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_LOOK_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      requireHostHeader: false,
    },
    handle,
  );
  server.maxConnections = options.maxConnections;
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.on('drop', () => rejections.add('connections'));
  limitConnections(server, options);
  server.on('checkContinue', handle);
  server.on('checkExpectation', handle);
  server.on('connect', (_request, socket: Duplex) => {
    socket.on('error', () => undefined);
    socket.end(rawProblem('method_not_allowed', 'CONNECT is not possible here', randomUUID()));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [code, detail] = rejectionOf(error);
    rejections.add(code);
    socket.end(rawProblem(code, detail, randomUUID()));
  });
  return server;
}

function rejectionOf({ code = '' }: NodeJS.ErrnoException) {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['headers_too_large', 'The headers are too large'] as const;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['request_timeout', 'The headers did not come in time'] as const;
    case 'HPE_INVALID_EOF_STATE':
      return ['malformed_request', 'The connection was closed before the whole request had come'] as const;
    default:
      return ['malformed_request', 'This is not HTTP'] as const;
  }
}

/** Closes connections of an address with too many, so that one client cannot use up all of them. */
function limitConnections(server: Server, options: ServerOptions): void {
  const { maxConnectionsPerAddress, trustedProxies, rejections } = options;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (trustedProxies.has(address)) return;
    const client = clientNetwork(address);
    const count = (open.get(client) ?? 0) + 1;
    if (count > maxConnectionsPerAddress) {
      rejections.add('connections_of_address');
      socket.destroy();
      return;
    }
    open.set(client, count);
    socket.once('close', () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left === 0) open.delete(client);
      else open.set(client, left);
    });
  });
}

/**
 * Closes the connection of a client that continues to send a body after the response. Node.js would read it for ever.
 */
function endBody(request: IncomingMessage, lingerMs: number, rejections: Pick<Rejections, 'add'>): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    if (request.complete) return;
    rejections.add('slow_body');
    request.socket.destroy();
  }, lingerMs);
  request.socket.once('close', () => clearTimeout(timer));
  timer.unref();
}
