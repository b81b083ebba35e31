/** Bytes of one part's headers: a disposition with a long file name, and a type. */
const MAX_PART_HEADER_BYTES = 4096;
/** RFC 2046, 5.1.1. */
const MAX_BOUNDARY_LENGTH = 70;

/**
 * Watches a multipart body for part headers of unreasonable length, before its parser sees them. Formidable (3.5) keeps
 * a header whole and looks for the file name with an expression of quadratic cost: 120 KiB of `filename="` held the
 * event loop for 3.6 s. Where the two could differ about what is a header, this one takes it for one.
 */
export class PartHeaderGuard {
  readonly #delimiter: Buffer;
  /** Bytes that may belong to a delimiter or a header's end which the next chunk completes. */
  #tail: Buffer = Buffer.from('\r\n');
  #begun = false;
  #inHeader = false;
  /** Bytes of the present header that lie before the tail. */
  #headerBytes = 0;

  private constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** Undefined when the type names no boundary, or one that is too long. */
  static for(contentType: string): PartHeaderGuard | undefined {
    const found = /boundary=(?:"([^"]+)"|([^;]+))/i.exec(contentType);
    const boundary = found?.[1] ?? found?.[2];
    return boundary === undefined || boundary.length > MAX_BOUNDARY_LENGTH ? undefined : new PartHeaderGuard(boundary);
  }

  /** False when the body must be refused: a header is too long, or something stands before the first boundary. */
  accepts(chunk: Uint8Array): boolean {
    const bytes = Buffer.concat([this.#tail, chunk]);
    const delimiter = this.#delimiter;
    if (!this.#begun) {
      if (!bytes.subarray(0, delimiter.length).equals(delimiter.subarray(0, bytes.length))) return false;
      if (bytes.length < delimiter.length) return this.#keep(bytes, 0);
      this.#begun = true;
    }
    for (let at = 0; ;) {
      if (this.#inHeader) {
        const end = bytes.indexOf('\r\n\r\n', at);
        if (this.#headerBytes + (end === -1 ? bytes.length : end) - at > MAX_PART_HEADER_BYTES) return false;
        if (end === -1) {
          const from = Math.max(at, bytes.length - 3);
          this.#headerBytes += from - at;
          return this.#keep(bytes, from);
        }
        this.#inHeader = false;
        at = end + 2; // its last line end may begin a delimiter
      } else {
        const found = bytes.indexOf(delimiter, at);
        if (found === -1) return this.#keep(bytes, Math.max(at, bytes.length - delimiter.length + 1));
        at = found + delimiter.length;
        if (bytes.length < at + 2) return this.#keep(bytes, found);
        this.#inHeader = bytes.toString('latin1', at, at + 2) === '\r\n';
        this.#headerBytes = 0;
      }
    }
  }

  #keep(bytes: Buffer, from: number): true {
    this.#tail = bytes.subarray(from);
    return true;
  }
}
