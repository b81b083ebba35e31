/** Number of pieces allowed for any body, and bytes per additional piece. */
const FREE_PIECES = 32_768;
const BYTES_PER_PIECE = 64;

/**
 * Counts the pieces of a body, because a body that arrives byte by byte costs Node.js as much as one that is thousands
 * of times larger.
 */
export class PieceBudget {
  #pieces = 0;
  #bytes = 0;

  /** @returns false if the body has too many small pieces */
  take(bytes: number): boolean {
    this.#pieces += 1;
    this.#bytes += bytes;
    return this.#pieces <= FREE_PIECES + this.#bytes / BYTES_PER_PIECE;
  }
}
