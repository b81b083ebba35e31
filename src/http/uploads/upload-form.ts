import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { KoaBodyMiddlewareOptions } from 'koa-body';
import { ServiceError } from '../../errors.ts';
import { Base64Decoder } from './base64-decoder.ts';
import { IncomingFile } from './incoming-file.ts';
import { MultipartParser, type PartHandler } from './multipart-parser.ts';
import { parsePartHead } from './part-head.ts';
import { PieceBudget } from './piece-budget.ts';
import { PieceGatherer } from './piece-gatherer.ts';

/** Total bytes and number of form fields. */
const MAX_FIELD_BYTES = 16 * 1024;
const MAX_FIELDS = 16;
/** Bytes of a body beside files and fields: boundaries, part headers, and what surrounds the parts. */
const MAX_FRAMING_BYTES = 64 * 1024;
/** Bytes of a body in addition to its file. */
export const MAX_EXTRA_BYTES = MAX_FIELD_BYTES + MAX_FRAMING_BYTES;

export const FILE_FIELD = 'file';

type FormidablePlugin = NonNullable<NonNullable<KoaBodyMiddlewareOptions['formidable']>['enabledPlugins']>[number];

export interface UploadFormOptions {
  readonly request: Pick<IncomingMessage, 'pause' | 'resume'>;
  readonly boundary: string;
  /** Absolute path of the file, which must not exist. */
  readonly path: string;
  readonly maxUploadBytes: number;
  readonly hash: boolean;
  /** Called with the total number of received bytes. */
  readonly onReceived: (bytes: number) => void;
}

/** Destination of the bytes of the current part. */
interface PartReader {
  read(bytes: Buffer): void;
  end(): void;
}

const IGNORED: PartReader = { read: () => undefined, end: () => undefined };

/**
 * Parses a multipart form: fields into koa-body's result, the one file to disk. It is a plugin that replaces
 * formidable's parser, which emits an event for each byte that could begin a boundary.
 */
export class UploadForm extends EventEmitter {
  readonly #options: UploadFormOptions;
  readonly #gatherer = new PieceGatherer((bytes) => this.#parse(bytes));
  readonly #parser: MultipartParser;
  #form: EventEmitter | undefined;
  #part: PartReader = IGNORED;
  #file: IncomingFile | undefined;
  #fileName: string | undefined;
  #fields = 0;
  #fieldBytes = 0;
  #received = 0;
  readonly #budget = new PieceBudget();
  #isOver = false;
  readonly #failure: Promise<never>;
  #reject: (error: Error) => void = () => undefined;

  constructor(options: UploadFormOptions) {
    super();
    this.#options = options;
    const handler: PartHandler = {
      onPart: (headers) => (this.#part = this.#readerOf(headers)),
      onData: (bytes) => this.#part.read(bytes),
      onPartEnd: () => this.#part.end(),
    };
    this.#parser = new MultipartParser(options.boundary, handler);
    this.#failure = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
    this.#failure.catch(() => undefined); // it may fail when nothing waits for it any more
  }

  /** Number of received bytes. */
  get received(): number {
    return this.#received;
  }

  /** The closed file of the form; undefined if there is none. */
  get file(): IncomingFile | undefined {
    return this.#file;
  }

  /** File name given by the client; undefined if none. */
  get fileName(): string | undefined {
    return this.#fileName;
  }

  /** Rejects at the first error; never resolves. */
  get failure(): Promise<never> {
    return this.#failure;
  }

  /** A formidable plugin. Its result becomes part of the form, which passes the body to `_parser`. */
  plugin(): FormidablePlugin {
    return (form) => {
      this.#form = form;
      return { type: 'multipart', _parser: this };
    };
  }

  /** Ends the form with an error, unless it has ended. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reject(error);
  }

  /** Called by formidable with each piece of the body. */
  write(piece: Buffer): void {
    if (this.#isOver) return;
    this.#received += piece.length;
    if (!this.#budget.take(piece.length)) {
      this.fail(new ServiceError('invalid_request', 'The body comes in pieces of a few bytes: send larger ones'));
      return;
    }
    this.#gatherer.push(piece);
  }

  /** Called by formidable when the body has ended. */
  end(): void {
    this.#gatherer.flush();
    if (this.#isOver) return;
    try {
      if (this.#received > 0) this.#parser.end();
    } catch (error) {
      this.#failWith(error);
      return;
    }
    this.#finish().catch((error: unknown) => this.#failWith(error));
  }

  /** Deletes the file, complete or not. */
  async discard(): Promise<void> {
    this.#isOver = true;
    await this.#file?.discard();
  }

  async #finish(): Promise<void> {
    await this.#file?.end();
    this.#isOver = true;
    this.#form?.emit('end');
  }

  #parse(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#options.onReceived(this.#received);
    try {
      this.#parser.push(bytes);
      const extra = this.#received - (this.#file?.bytes ?? 0);
      if (!this.#isOver && extra > MAX_EXTRA_BYTES) {
        throw new ServiceError(
          'invalid_request',
          `The body has more than ${MAX_EXTRA_BYTES} bytes in addition to the file`,
        );
      }
    } catch (error) {
      this.#failWith(error);
    }
  }

  #failWith(error: unknown): void {
    this.fail(error instanceof Error ? error : new ServiceError('internal', String(error)));
  }

  /** A part with a file name is a file, and so is a part `file` with a type, because some clients send no name. */
  #readerOf(headers: string): PartReader {
    const { name, fileName, hasType, transferEncoding } = parsePartHead(headers);
    if (fileName === undefined && !(name === FILE_FIELD && hasType)) {
      return name === undefined ? IGNORED : this.#fieldReader(name);
    }
    const reader = this.#fileReader(name, fileName);
    if (['', 'binary', '7bit', '8bit', 'identity'].includes(transferEncoding)) return reader;
    if (transferEncoding !== 'base64') {
      throw new ServiceError(
        'invalid_request',
        'The file has a Content-Transfer-Encoding other than binary and base64',
      );
    }
    const base64 = new Base64Decoder();
    return {
      read: (bytes) => reader.read(base64.decode(bytes)),
      end: () => {
        reader.read(base64.end());
        reader.end();
      },
    };
  }

  #fieldReader(name: string): PartReader {
    this.#fields += 1;
    if (this.#fields > MAX_FIELDS) throw new ServiceError('invalid_request', `More than ${MAX_FIELDS} form fields`);
    const pieces: Buffer[] = [];
    return {
      read: (bytes) => {
        this.#fieldBytes += bytes.length;
        if (this.#fieldBytes > MAX_FIELD_BYTES) {
          throw new ServiceError('invalid_request', `The form fields exceed ${MAX_FIELD_BYTES} bytes`);
        }
        pieces.push(bytes);
      },
      end: () => this.#form?.emit('field', name, Buffer.concat(pieces).toString()),
    };
  }

  /** An empty file input sends a part with an empty name and no bytes; it is ignored. */
  #fileReader(name: string | undefined, fileName: string | undefined): PartReader {
    const isChosen = fileName !== '';
    let file = isChosen ? this.#createFile(name, fileName) : undefined;
    return {
      read: (bytes) => {
        if (bytes.length === 0) return;
        file ??= this.#createFile(name, fileName);
        if (file.bytes + bytes.length > this.#options.maxUploadBytes) {
          this.fail(tooLarge(this.#options.maxUploadBytes));
        } else if (!file.write(bytes)) {
          this.#options.request.pause();
        }
      },
      end: () => undefined,
    };
  }

  #createFile(name: string | undefined, fileName: string | undefined): IncomingFile {
    if (name !== FILE_FIELD) {
      throw new ServiceError('missing_file', `The video must be in the field \`${FILE_FIELD}\``);
    }
    if (this.#file !== undefined) throw new ServiceError('invalid_request', 'More than one file');
    this.#fileName = fileName;
    this.#file = IncomingFile.create({
      path: this.#options.path,
      hash: this.#options.hash,
      onDrain: () => this.#options.request.resume(),
      onError: (error) => this.fail(error),
    });
    return this.#file;
  }
}

export function tooLarge(maxUploadBytes: number): ServiceError {
  return new ServiceError('upload_too_large', `The video is larger than ${maxUploadBytes} bytes`);
}
