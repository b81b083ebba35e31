/** Smaller pieces are joined; larger ones pass unchanged. */
const SMALL_BYTES = 4 * 1024;
const POOL_BYTES = 64 * 1024;

/**
 * Joins the small pieces of one turn of the event loop, so that the next step runs once for all of them. A body may
 * arrive in chunks of one byte.
 */
export class PieceGatherer {
  readonly #consume: (bytes: Buffer) => void;
  /** Bytes before `#start` were passed on and are never overwritten. */
  #pool = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #isFlushDue = false;

  constructor(consume: (bytes: Buffer) => void) {
    this.#consume = consume;
  }

  push(piece: Buffer): void {
    if (piece.length >= SMALL_BYTES) {
      this.flush();
      this.#consume(piece);
      return;
    }
    if (this.#pool.length - this.#end < piece.length) {
      this.flush();
      this.#pool = Buffer.allocUnsafeSlow(POOL_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    this.#end += piece.copy(this.#pool, this.#end);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#start === this.#end) return;
    const gathered = this.#pool.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#consume(gathered);
  }
}
