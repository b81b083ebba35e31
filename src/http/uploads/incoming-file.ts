import { createHash, type Hash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';

/** Bytes of an upload that may wait for the disk. */
const WRITE_AHEAD_BYTES = 1024 * 1024;

export interface IncomingFileOptions {
  readonly path: string;
  /** Whether to compute the file's SHA-256 as it arrives. */
  readonly hash: boolean;
  /** Called when all waiting bytes are written. */
  readonly onDrain: () => void;
  readonly onError: (error: Error) => void;
}

/** The file of an upload, written as it arrives. */
export class IncomingFile {
  readonly #path: string;
  readonly #file: WriteStream;
  readonly #hash: Hash | undefined;
  #bytes = 0;

  private constructor(options: IncomingFileOptions) {
    this.#path = options.path;
    this.#file = createWriteStream(options.path, { flags: 'wx', mode: 0o600, highWaterMark: WRITE_AHEAD_BYTES });
    this.#file.on('drain', options.onDrain);
    this.#file.on('error', options.onError);
    this.#hash = options.hash ? createHash('sha256') : undefined;
  }

  static create(options: IncomingFileOptions): IncomingFile {
    return new IncomingFile(options);
  }

  get path(): string {
    return this.#path;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Writes the buffer, which must not change. @returns false if the disk is behind and the caller should wait for
   * `onDrain`
   */
  write(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    this.#hash?.update(bytes);
    return this.#file.write(bytes);
  }

  /**
   * Resolves when all bytes are written and the file is closed. An error goes to `onError`; this then never resolves.
   */
  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#file.once('close', () => {
        if (this.#file.writableFinished) resolve();
      });
      this.#file.end();
    });
  }

  /** Returns the hexadecimal SHA-256 if requested. Call once, after the last write. */
  digest(): string | undefined {
    return this.#hash?.digest('hex');
  }

  /** Closes the file and deletes it if it still exists. */
  async discard(): Promise<void> {
    if (!this.#file.closed) {
      await new Promise<void>((resolve) => {
        this.#file.once('close', resolve);
        this.#file.destroy();
      });
    }
    await rm(this.#path, { force: true });
  }
}
