import { ServiceError } from '../../errors.ts';

/** Maximum bytes of the headers of one part: a disposition with a long file name, and a type. */
const MAX_PART_HEADER_BYTES = 4096;
/** White space between a boundary and the end of its line (RFC 2046 calls it transport padding). */
const MAX_PADDING_BYTES = 256;

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const EMPTY = Buffer.alloc(0);

export interface PartHandler {
  /** @param headers the part's header lines, without the blank line that ends them */
  onPart(headers: string): void;
  /** Called with the bytes of the current part, in order. The parser does not change them later. */
  onData(bytes: Buffer): void;
  onPartEnd(): void;
}

/**
 * The meaning of the bytes after the text of a boundary: a part, the end of the body, ordinary data, or too few bytes
 * to decide.
 */
type AfterBoundary = { readonly lineEnd: number } | 'last' | 'data' | 'incomplete';

/**
 * Finds the parts of a multipart body (RFC 2046, 5.1.1). It searches boundaries with `Buffer.indexOf`, so the cost of a
 * byte does not depend on its value, and a chunk causes at most a few events.
 */
export class MultipartParser {
  readonly #delimiter: Buffer;
  readonly #handler: PartHandler;
  #state: 'preamble' | 'headers' | 'data' | 'epilogue' = 'preamble';
  /**
   * Bytes that the next chunk completes. Begins with a line end, because the first line of a body may be a boundary.
   */
  #carry: Buffer = Buffer.from('\r\n');
  /** Leading bytes of a part's data that belong to its headers: a line end that may also begin a boundary. */
  #toSkip = 0;

  constructor(boundary: string, handler: PartHandler) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#handler = handler;
  }

  /** @throws ServiceError `invalid_request` if the headers of a part are too long */
  push(chunk: Buffer): void {
    let bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#carry = EMPTY;
    while (bytes.length > 0 && this.#state !== 'epilogue') {
      bytes = this.#state === 'headers' ? this.#readHeaders(bytes) : this.#readData(bytes);
    }
  }

  /** @throws ServiceError `invalid_request` if the last boundary is missing */
  end(): void {
    if (this.#state === 'epilogue') return;
    const message =
      this.#state === 'preamble'
        ? 'No line of the body is the boundary that its Content-Type names'
        : 'The body was cut off: its last boundary is missing. Send the video again';
    throw new ServiceError('invalid_request', message);
  }

  /** @returns the remaining bytes */
  #readHeaders(bytes: Buffer): Buffer {
    // The bytes begin with the line end of the boundary, which also ends an empty header section.
    const end = bytes.indexOf('\r\n\r\n');
    if ((end === -1 ? bytes.length : end) > MAX_PART_HEADER_BYTES) {
      throw new ServiceError('invalid_request', `The headers of a part exceed ${MAX_PART_HEADER_BYTES} bytes`);
    }
    if (end === -1) return this.#keep(bytes);
    this.#handler.onPart(end === 0 ? '' : bytes.toString('utf8', 2, end));
    this.#state = 'data';
    this.#toSkip = 2;
    return bytes.subarray(end + 2);
  }

  /** @returns the remaining bytes */
  #readData(bytes: Buffer): Buffer {
    const delimiter = this.#delimiter;
    for (let from = 0; ;) {
      const found = bytes.indexOf(delimiter, from);
      if (found === -1) {
        const held = this.#startOfPartialDelimiter(bytes);
        this.#emit(bytes.subarray(0, held));
        return this.#keep(bytes.subarray(held));
      }
      const after = afterBoundary(bytes, found + delimiter.length);
      if (after === 'data') {
        from = found + delimiter.length;
        continue;
      }
      this.#emit(bytes.subarray(0, found));
      if (after === 'incomplete') return this.#keep(bytes.subarray(found));
      if (this.#state === 'data') this.#handler.onPartEnd();
      this.#state = after === 'last' ? 'epilogue' : 'headers';
      return after === 'last' ? EMPTY : bytes.subarray(after.lineEnd);
    }
  }

  /** Returns the start of the longest suffix that may begin a delimiter. Only its first byte is a CR. */
  #startOfPartialDelimiter(bytes: Buffer): number {
    const start = bytes.lastIndexOf(CR);
    const length = bytes.length - start;
    if (start === -1 || length >= this.#delimiter.length) return bytes.length;
    return this.#delimiter.subarray(0, length).equals(bytes.subarray(start)) ? start : bytes.length;
  }

  #emit(bytes: Buffer): void {
    if (this.#state !== 'data') return;
    const skipped = Math.min(this.#toSkip, bytes.length);
    this.#toSkip -= skipped;
    if (bytes.length > skipped) this.#handler.onData(bytes.subarray(skipped));
  }

  #keep(bytes: Buffer): Buffer {
    this.#carry = bytes;
    return EMPTY;
  }
}

function afterBoundary(bytes: Buffer, at: number): AfterBoundary {
  if (bytes[at] === DASH) {
    if (at + 1 === bytes.length) return 'incomplete';
    return bytes[at + 1] === DASH ? 'last' : 'data';
  }
  let lineEnd = at;
  while (bytes[lineEnd] === 0x20 || bytes[lineEnd] === 0x09) lineEnd += 1;
  if (lineEnd - at > MAX_PADDING_BYTES) return 'data';
  if (lineEnd === bytes.length) return 'incomplete';
  if (bytes[lineEnd] !== CR) return 'data';
  if (lineEnd + 1 === bytes.length) return 'incomplete';
  return bytes[lineEnd + 1] === LF ? { lineEnd } : 'data';
}
