import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ParameterizedContext } from 'koa';
import { koaBody } from 'koa-body';
import { z } from 'zod';
import { ServiceError } from '../../errors.ts';
import { boundaryOf } from './boundary.ts';
import { freeBytes, type RoomOptions } from './room.ts';
import { FILE_FIELD, UploadForm } from './upload-form.ts';

/** Bytes of an upload between checks of the free disk space. */
const ROOM_LOOK_BYTES = 4 * 1024 * 1024;

const formFieldsSchema = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

/** The incoming folder is on the disk of the storage, so that a file is adopted without a copy. */
export interface UploadOptions extends RoomOptions {
  readonly maxUploadBytes: number;
  /** Minimum rate in bytes per second over `uploadWindowMs`. */
  readonly minUploadBytesPerS: number;
  /** Longest upload in milliseconds; less if its declared length needs less at the minimum rate. */
  readonly uploadTimeoutMs: number;
  /** Milliseconds over which the rate of an upload is measured. */
  readonly uploadWindowMs: number;
}

export interface ReceiveOptions extends UploadOptions {
  /** Whether to hash the file as it arrives. */
  readonly hash: boolean;
}

export interface Upload {
  /** Absolute path of the complete file in the incoming folder. */
  readonly path: string;
  /** Name given by the client; undefined if none. */
  readonly fileName: string | undefined;
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
  /** Hexadecimal SHA-256 of the file, if requested. */
  readonly sha256: string | undefined;
  /** Deletes the file if it still exists. */
  discard(): Promise<void>;
}

/**
 * Reads a multipart body and writes its one file to disk as it arrives, no faster than the disk. Rejects with
 * `missing_file`, `upload_too_large`, `upload_too_slow`, `storage_full` or `invalid_request`; then no file is left.
 */
export async function receiveUpload(ctx: ParameterizedContext, options: ReceiveOptions): Promise<Upload> {
  const form = new UploadForm({
    request: ctx.req,
    boundary: requireBoundary(ctx),
    path: join(options.incomingDir, randomUUID()),
    maxUploadBytes: options.maxUploadBytes,
    hash: options.hash,
    onReceived: roomWatch(options, (error) => form.fail(error)),
  });
  const readBody = koaBody({
    multipart: true,
    json: false,
    text: false,
    urlencoded: false,
    patchNode: false,
    formidable: { enabledPlugins: [form.plugin()] },
  });
  const stopWatching = watchRate(ctx, form, options);
  try {
    // A request that closed before this listener would never report it.
    if (ctx.req.destroyed) throw new ServiceError('invalid_request', 'The client disconnected');
    if (ctx.get('Expect').toLowerCase() === '100-continue') ctx.res.writeContinue();
    await Promise.race([readBody(ctx, async () => undefined), form.failure]);
    const { file, fileName } = form;
    if (file === undefined) throw new ServiceError('missing_file', `There is no field \`${FILE_FIELD}\``);
    const fields = formFieldsSchema.parse(ctx.request.body);
    return { path: file.path, fileName, fields, sha256: file.digest(), discard: () => form.discard() };
  } catch (error) {
    await form.discard();
    throw refusalOf(error);
  } finally {
    stopWatching();
  }
}

function requireBoundary(ctx: ParameterizedContext): string {
  if (!ctx.is('multipart/form-data')) {
    throw new ServiceError('missing_file', `The body must be multipart/form-data with the video in \`${FILE_FIELD}\``);
  }
  if (!/^(identity)?$/i.test(ctx.get('Content-Encoding')) || !/^(chunked)?$/i.test(ctx.get('Transfer-Encoding'))) {
    throw new ServiceError('invalid_request', 'The body must not be compressed');
  }
  const boundary = boundaryOf(ctx.get('Content-Type'));
  if (boundary === undefined) {
    throw new ServiceError('invalid_request', 'The Content-Type must name a boundary of 1 to 70 characters');
  }
  return boundary;
}

/** Fails the form if the upload is too slow. @returns a function that ends the watch */
function watchRate(ctx: ParameterizedContext, form: UploadForm, options: ReceiveOptions): () => void {
  const { minUploadBytesPerS, uploadWindowMs } = options;
  const timeoutMs = timeoutOf(ctx.request.length, options);
  let receivedBefore = 0;
  const timer = setInterval(() => {
    const rate = ((form.received - receivedBefore) * 1000) / uploadWindowMs;
    receivedBefore = form.received;
    if (rate < minUploadBytesPerS && !ctx.req.complete) {
      form.fail(new ServiceError('upload_too_slow', `Less than ${minUploadBytesPerS} bytes per second arrived`));
    }
  }, uploadWindowMs);
  const deadline = setTimeout(() => {
    form.fail(new ServiceError('upload_too_slow', `The upload took longer than ${Math.round(timeoutMs / 1000)} s`));
  }, timeoutMs);
  return () => {
    clearInterval(timer);
    clearTimeout(deadline);
  };
}

/**
 * Returns the milliseconds that an upload may take: the time for its length at the minimum rate, and a grace period.
 */
function timeoutOf(declaredBytes: number | undefined, options: ReceiveOptions): number {
  const { minUploadBytesPerS, uploadWindowMs, uploadTimeoutMs } = options;
  if (declaredBytes === undefined || minUploadBytesPerS === 0) return uploadTimeoutMs;
  return Math.min(uploadTimeoutMs, 2 * uploadWindowMs + (declaredBytes / minUploadBytesPerS) * 1000);
}

/**
 * Returns a function that checks the free disk space as bytes arrive. A declared length was checked before; this covers
 * undeclared ones and concurrent uploads.
 */
function roomWatch({ incomingDir, diskReserveBytes }: ReceiveOptions, fail: (error: Error) => void) {
  let lookedAt = 0;
  const look = async (): Promise<void> => {
    if ((await freeBytes(incomingDir)) < diskReserveBytes) fail(storageFull());
  };
  return (received: number): void => {
    if (received - lookedAt < ROOM_LOOK_BYTES) return;
    lookedAt = received;
    look().catch(() => undefined); // a disk that cannot be asked refuses the bytes itself
  };
}

function storageFull(cause?: unknown): ServiceError {
  return new ServiceError('storage_full', 'The disk ran full during the upload', { cause });
}

function refusalOf(error: unknown): unknown {
  if (error instanceof ServiceError || !(error instanceof Error)) return error;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return storageFull(error);
  // Formidable's errors have numbers; the only remaining one is that of an aborted request.
  if (typeof code !== 'number' && code !== 'ECONNRESET') return error;
  return new ServiceError('invalid_request', 'The connection was closed before the end of the body', {
    cause: error,
  });
}
