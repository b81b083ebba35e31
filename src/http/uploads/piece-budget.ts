/**
 * Number of pieces allowed for any body, and bytes per additional piece. A piece costs Node.js some microseconds, and
 * all that are received at once are handled in one turn of the event loop.
 */
const FREE_PIECES = 4_096;
const BYTES_PER_PIECE = 256;

/**
 * Counts the pieces of a body, because a body that arrives byte by byte costs Node.js as much as one that is thousands
 * of times larger.
 */
export class PieceBudget {
  readonly #freePieces: number;
  #pieces = 0;
  #bytes = 0;

  constructor(freePieces = FREE_PIECES) {
    this.#freePieces = freePieces;
  }

  /** @returns false if the body has too many small pieces */
  take(bytes: number): boolean {
    this.#pieces += 1;
    this.#bytes += bytes;
    return this.#pieces <= this.#freePieces + this.#bytes / BYTES_PER_PIECE;
  }
}
