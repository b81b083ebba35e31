import type { Middleware, ParameterizedContext } from 'koa';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import type { RequestState } from './request-state.ts';

/** Smaller responses hardly shrink. */
const MIN_BYTES = 1_024;
/** The fastest level: it already shrinks results to a fiftieth, and the CPU is needed for analysis. */
const OPTIONS = { level: constants.Z_BEST_SPEED };
const COMPRESSIBLE = /^(?:text\/|image\/svg|application\/(?:\w+\+)?(?:json|x-subrip))/;

const gzipBuffer = promisify(gzip);

/** Compresses JSON and text for clients that accept gzip. Videos, pictures and ranges stay unchanged. */
export function compress(): Middleware<RequestState> {
  return async (ctx, next) => {
    await next();
    // A 304 has the ETag of the response that the client keeps.
    const tag = String(ctx.res.getHeader('ETag') ?? '');
    if (ctx.status === 304 && ctx.get('If-None-Match').includes(`W/${tag}`)) ctx.set('ETag', weak(tag));
    stringify(ctx);
    if (!isCompressible(ctx)) return;
    ctx.vary('Accept-Encoding');
    if (ctx.acceptsEncodings('gzip', 'identity') !== 'gzip') return;
    const { body } = ctx;
    ctx.set('Content-Encoding', 'gzip');
    ctx.remove('Content-Length');
    // The bytes differ by encoding, so the ETag is weak.
    if (tag !== '') ctx.set('ETag', weak(tag));
    if (ctx.method === 'HEAD') return;
    if (body instanceof Readable) {
      // An error of the source destroys the response, so that the client detects it.
      ctx.body = pipeline(body, createGzip(OPTIONS), () => undefined);
      return;
    }
    const type = ctx.response.get('Content-Type'); // with its parameters, which `ctx.type` leaves out
    ctx.body = await gzipBuffer(String(body), OPTIONS);
    ctx.set('Content-Type', type);
  };
}

/** Koa would convert an object again for each use of its length. */
function stringify(ctx: ParameterizedContext<RequestState>): void {
  const { body } = ctx;
  if (ctx.type !== 'application/json' || typeof body !== 'object') return;
  if (body === null || Buffer.isBuffer(body) || body instanceof Readable) return;
  ctx.body = JSON.stringify(body);
}

const weak = (tag: string): string => tag.replace(/^"/, 'W/"');

function isCompressible(ctx: ParameterizedContext<RequestState>): boolean {
  const { body } = ctx;
  if (ctx.status !== 200 || body === null || body === undefined || Buffer.isBuffer(body)) return false;
  if (ctx.res.hasHeader('Content-Encoding') || !COMPRESSIBLE.test(ctx.type)) return false;
  return ctx.length === undefined || ctx.length >= MIN_BYTES;
}
