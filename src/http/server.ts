import type Koa from 'koa';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { rawProblem } from './problem.ts';
import type { RequestState } from './middleware/request-log.ts';

/** Milliseconds in which a request's headers must have come. */
const HEADERS_TIMEOUT_MS = 60_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** Milliseconds without a byte in either direction after which a connection is closed. */
const IDLE_TIMEOUT_MS = 120_000;

/**
 * Node's server, set up for long uploads: a request may take as long as it keeps moving, and a client that asks
 * (`Expect: 100-continue`) hears a refusal before it sends its video.
 */
export function createHttpServer(app: Koa<RequestState>, options: { readonly maxConnections: number }): Server {
  const callback = app.callback();
  const handle = (request: IncomingMessage, response: ServerResponse): void => void callback(request, response);
  const server = createServer(
    {
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      requireHostHeader: false,
    },
    handle,
  );
  server.maxConnections = options.maxConnections;
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.on('checkContinue', handle);
  server.on('checkExpectation', handle);
  server.on('connect', (_request, socket: Duplex) => {
    socket.on('error', () => undefined);
    socket.end(rawProblem('method_not_allowed', 'CONNECT is not possible here', randomUUID()));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
    } else if (error.code === 'HPE_HEADER_OVERFLOW') {
      socket.end(rawProblem('headers_too_large', 'The headers are too large', randomUUID()));
    } else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
      socket.end(rawProblem('request_timeout', 'The headers did not come in time', randomUUID()));
    } else if (error.code === 'HPE_INVALID_EOF_STATE') {
      const detail = 'The connection was closed before the whole request had come';
      socket.end(rawProblem('malformed_request', detail, randomUUID()));
    } else {
      socket.end(rawProblem('malformed_request', 'This is not HTTP', randomUUID()));
    }
  });
  return server;
}
