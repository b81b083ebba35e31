import { randomUUID } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { ParameterizedContext } from 'koa';
import { koaBody } from 'koa-body';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { PartHeaderGuard } from './part-headers.ts';

/** Bytes of all form fields together, and their number: three short ones are meant. */
const MAX_FIELD_BYTES = 16 * 1024;
const MAX_FIELDS = 16;
/** Bytes of a body that may be neither file nor field: boundaries, part headers, and what follows the last part. */
const MAX_FRAMING_BYTES = 64 * 1024;
/** Bytes of an upload that may wait for the disk. */
const WRITE_AHEAD_BYTES = 1024 * 1024;
/** What a body may measure beyond its file. */
export const MAX_EXTRA_BYTES = MAX_FIELD_BYTES + MAX_FRAMING_BYTES;

/** Bytes that come in between two looks at the room on the disk: no more of the reserve is used up by one upload. */
const ROOM_LOOK_BYTES = 4 * 1024 * 1024;

const FILE_FIELD = 'file';
/** Codes of formidable's errors (its FormidableError.js). */
const FILE_TOO_LARGE = new Set([1009, 1016]);
const FIELDS_TOO_LARGE = new Set([1006, 1007]);

const formFieldsSchema = z.record(z.string(), z.union([z.string(), z.array(z.string())]));
const hashedFileSchema = z.object({ [FILE_FIELD]: z.object({ hash: z.string().nullish() }) });
const formidableErrorSchema = z.object({ code: z.number(), httpCode: z.number() });

export interface UploadOptions {
  /** Absolute path of the folder that gets the file; on the disk of the storage, so that adopting it copies nothing. */
  readonly incomingDir: string;
  readonly maxUploadBytes: number;
  /** The slowest upload, in bytes per second over `uploadWindowMs`. */
  readonly minUploadBytesPerS: number;
  /** Milliseconds over which an upload's rate is measured. */
  readonly uploadWindowMs: number;
  /** Bytes of the disk that no upload may take: the database and the results need room too. */
  readonly diskReserveBytes: number;
}

export interface ReceiveOptions extends UploadOptions {
  /** Whether the file's hash is wanted; it is computed as the file arrives. */
  readonly hash: boolean;
}

export interface Upload {
  /** Absolute path of the file, whole, in the incoming folder. */
  readonly path: string;
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
  /** Hex SHA-256 of the file, where it was asked for. */
  readonly sha256: string | undefined;
  /** Removes the file if it is still there. */
  discard(): Promise<void>;
}

/**
 * Reads a multipart body; its one file goes to disk as it arrives, no faster than the disk takes it. Whatever goes
 * wrong, nothing is left. Rejects with `missing_file`, `upload_too_large`, `upload_too_slow`, `storage_full` or `invalid_request`.
 */
export async function receiveUpload(ctx: ParameterizedContext, options: ReceiveOptions): Promise<Upload> {
  if (!ctx.is('multipart/form-data')) throw noFile('The body must be multipart/form-data with the video in `file`');
  if (!/^(identity)?$/i.test(ctx.get('Content-Encoding')) || !/^(chunked)?$/i.test(ctx.get('Transfer-Encoding'))) {
    throw new ServiceError('invalid_request', 'The body must not be compressed');
  }
  const guard = PartHeaderGuard.for(ctx.get('Content-Type'));
  if (guard === undefined) throw new ServiceError('invalid_request', 'multipart/form-data without a sane boundary');
  const path = join(options.incomingDir, randomUUID());
  const discard = (): Promise<void> => rm(path, { force: true });
  let file: WriteStream | undefined;
  let nothingChosen = false;
  /** From the first refusal or the end on: nothing more is refused, since nobody may listen any more. */
  let over = false;
  // Formidable listens to its request's errors: so it stops, and the connection stays for the answer.
  const fail = (error: ServiceError): boolean => ctx.req.emit('error', error);

  const refuse = (): boolean => fail(new ServiceError('invalid_request', 'Too much in the body beside the file'));
  // A length that was declared was held against the room before; here are those that were not, and many at once.
  const lookForRoom = async (): Promise<void> => {
    if ((await freeBytes(options.incomingDir)) >= options.diskReserveBytes || over) return;
    fail(new ServiceError('storage_full', 'The disk ran full during the upload'));
  };

  let received = 0;
  /** Bytes of the file that have been parsed, whether the disk has taken them or not. */
  let inFile = 0;
  const watchBody = (chunk: Buffer): void => {
    const before = received;
    received += chunk.length;
    const seen = received;
    if (!guard.accepts(chunk)) refuse();
    // Judged when it has been parsed: how much comes in together before that is up to the client and to Node.
    setImmediate(() => {
      if (!over && seen - inFile > MAX_EXTRA_BYTES) refuse();
    });
    if (Math.floor(received / ROOM_LOOK_BYTES) > Math.floor(before / ROOM_LOOK_BYTES))
      lookForRoom().catch(() => undefined); // what cannot be looked at will refuse the bytes itself
  };

  let receivedBefore = 0;
  const watchRate = setInterval(() => {
    const rate = ((received - receivedBefore) * 1000) / options.uploadWindowMs;
    receivedBefore = received;
    if (rate < options.minUploadBytesPerS && !ctx.req.complete) {
      fail(new ServiceError('upload_too_slow', `Less than ${options.minUploadBytesPerS} bytes per second came in`));
    }
  }, options.uploadWindowMs);

  const readBody = koaBody({
    multipart: true,
    json: false,
    text: false,
    urlencoded: false,
    patchNode: false,
    formidable: {
      maxFields: MAX_FIELDS,
      maxFieldsSize: MAX_FIELD_BYTES,
      maxFileSize: options.maxUploadBytes,
      allowEmptyFiles: true,
      minFileSize: 0,
      hashAlgorithm: options.hash ? 'sha256' : false,
      onPart(part, handle) {
        if (over) return;
        const isFile = part.originalFilename !== null || (part.name === FILE_FIELD && part.mimetype !== null);
        if (isFile && part.name !== FILE_FIELD) {
          over = true;
          fail(noFile('The video must be in the field `file`'));
        } else if (isFile && file !== undefined) {
          over = true;
          fail(new ServiceError('invalid_request', 'More than one file'));
        } else {
          if (isFile) {
            nothingChosen = part.originalFilename === '';
            part.on('data', (bytes: Buffer) => {
              inFile += bytes.length;
            });
          }
          // A part with a type is a file to formidable, one without is a field, which it decodes by the encoding
          // that the client names: an unknown one would throw where nobody catches.
          part.mimetype = isFile ? 'application/octet-stream' : null;
          handle(Object.assign(part, { transferEncoding: 'utf-8' }));
        }
      },
      fileWriteStreamHandler() {
        file = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: WRITE_AHEAD_BYTES });
        return writingAhead(file);
      },
    },
  });

  try {
    // One that went away before it was listened to would never be heard of again.
    if (ctx.req.destroyed) throw new ServiceError('invalid_request', 'The client went away');
    ctx.req.on('data', watchBody);
    if (ctx.get('Expect').toLowerCase() === '100-continue') ctx.res.writeContinue();
    await readBody(ctx, async () => undefined);
    if (file === undefined || (nothingChosen && file.bytesWritten === 0)) throw noFile('There is no field `file`');
    await closed(file);
    const { hash: sha256 } = hashedFileSchema.parse(ctx.request.files)[FILE_FIELD];
    return { path, fields: formFieldsSchema.parse(ctx.request.body), sha256: sha256 ?? undefined, discard };
  } catch (error) {
    over = true;
    if (file !== undefined) await closed(file.destroy());
    await discard();
    throw refusalOf(error, options.maxUploadBytes);
  } finally {
    over = true;
    clearInterval(watchRate);
    ctx.req.off('data', watchBody);
  }
}

/** Bytes that the disk of this folder has left for us. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Takes bytes for a file before it has written them, as many as its buffer holds. Formidable reads nothing while a write
 * of its is under way: without this, receiving and writing take turns with every 64 KiB.
 */
function writingAhead(file: WriteStream): Writable {
  const ahead = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (file.write(chunk)) done();
      else file.once('drain', done);
    },
    final(done) {
      file.end(done);
    },
    destroy(error, done) {
      file.destroy();
      done(error);
    },
  });
  file.on('error', (error) => ahead.destroy(error));
  return ahead;
}

function closed(file: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (file.closed) resolve();
    else file.once('close', resolve);
  });
}

function noFile(message: string): ServiceError {
  return new ServiceError('missing_file', message);
}

function refusalOf(error: unknown, maxUploadBytes: number): unknown {
  if (error instanceof ServiceError) return error;
  if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
    return new ServiceError('storage_full', 'The disk ran full during the upload', { cause: error });
  }
  const parsed = formidableErrorSchema.safeParse(error);
  if (!parsed.success) return error;
  const { code } = parsed.data;
  if (FILE_TOO_LARGE.has(code)) return tooLarge(maxUploadBytes, error);
  if (FIELDS_TOO_LARGE.has(code)) return new ServiceError('invalid_request', 'Too many form fields', { cause: error });
  return new ServiceError('invalid_request', 'The body is not whole or not multipart/form-data', { cause: error });
}

export function tooLarge(maxUploadBytes: number, cause?: unknown): ServiceError {
  return new ServiceError('upload_too_large', `The video is larger than ${maxUploadBytes} bytes`, { cause });
}
