import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const WINDOW_BYTES = 64 * 1024;

/** One box of an MP4 file (ISO/IEC 14496-12, section 4.2). Offsets count from the start of the file. */
export interface Box {
  readonly type: string;
  /** Offset of the content, after the header. */
  readonly start: number;
  /** End of the content: within the parent, or the end of the file if the box claims more. */
  readonly end: number;
  /** False if the box claims to exceed its parent or the file. */
  readonly isWhole: boolean;
}

/** Reads the boxes of a file through a small window, independent of their declared sizes. */
export class BoxReader implements Disposable {
  readonly fileBytes: number;
  readonly #file: number;
  readonly #window = Buffer.alloc(WINDOW_BYTES);
  #windowStart = 0;
  #windowBytes = 0;

  private constructor(file: number) {
    this.#file = file;
    this.fileBytes = fstatSync(file).size;
  }

  /** Throws the file system's error if the file cannot be opened. */
  static open(path: string): BoxReader {
    return new BoxReader(openSync(path, 'r'));
  }

  /**
   * Yields the boxes between two offsets. A box with an invalid header ends the list, because the rest is not boxes and
   * FFmpeg stops there too.
   */
  *boxes(start: number, end: number): Generator<Box, void> {
    let offset = start;
    while (offset + 8 <= end) {
      const shortSize = this.uint32(offset);
      const type = this.fourCharacters(offset + 4);
      const header = shortSize === 1 ? 16 : 8;
      if (offset + header > end) return;
      // Size 0 means up to the end of the parent. Sizes above 2^53 lose precision, but no file is that long.
      const size = shortSize === 1 ? this.uint64(offset + 8) : shortSize === 0 ? end - offset : shortSize;
      if (size < header) return;
      const isWhole = offset + size <= end;
      yield { type, start: offset + header, end: isWhole ? offset + size : end, isWhole };
      offset += size;
    }
  }

  /** Returns the offset of four characters at a multiple of four from `start`; undefined if there is none. */
  find(characters: string, start: number, end: number): number | undefined {
    const wanted = Buffer.from(characters, 'latin1').readUInt32BE();
    for (let offset = start; offset + 4 <= end; offset += 4) if (this.uint32(offset) === wanted) return offset;
    return undefined;
  }

  /** Reads zeros beyond the end of the file. */
  uint32(offset: number): number {
    return this.#bytes(offset, 4).readUInt32BE();
  }

  uint64(offset: number): number {
    return Number(this.#bytes(offset, 8).readBigUInt64BE());
  }

  fourCharacters(offset: number): string {
    return this.#bytes(offset, 4).toString('latin1');
  }

  #bytes(offset: number, length: number): Buffer {
    if (offset < this.#windowStart || offset + length > this.#windowStart + this.#windowBytes) {
      this.#windowStart = offset;
      this.#window.fill(0);
      this.#windowBytes = WINDOW_BYTES;
      readSync(this.#file, this.#window, 0, WINDOW_BYTES, offset);
    }
    const place = offset - this.#windowStart;
    return this.#window.subarray(place, place + length);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
