import { ServiceError } from '../../errors.ts';
import type { EncodedPicture } from '../../pipeline/pictures.ts';
import type { Failure, LookReply, LookRequest } from '../protocol.ts';
import type { DecodeThread } from './analysis.ts';
import type { DecodeEvent } from './decode-thread.ts';

/** An empty reply after so long says that the child lives, and how far decoding has come. */
const HEARTBEAT_MS = 1000;

/** One request for pictures inside the child. The decode thread creates one at a time. */
export class PictureRun {
  readonly #decode: Pick<DecodeThread, 'post'>;
  readonly #decoded = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #isPulling = false;
  #picture: EncodedPicture | undefined;
  #hasEnded = false;
  #failure: Failure | undefined;
  #wake: () => void = () => {};

  constructor(decode: Pick<DecodeThread, 'listen' | 'post'>, request: LookRequest) {
    this.#decode = decode;
    decode.listen((event) => this.#onEvent(event));
    decode.post({ kind: 'look', request, decoded: this.#decoded });
  }

  /**
   * Returns the next picture when it is ready; empty after a second without. Rejects if the video cannot be decoded.
   */
  async next(): Promise<LookReply> {
    // A picture may have come after an empty reply. Another one would replace it.
    if (this.#picture === undefined && !this.#hasEnded) {
      this.#pull();
      await this.#change();
    }
    if (this.#failure !== undefined) {
      throw new ServiceError(this.#failure.code, this.#failure.message, { retryable: this.#failure.retryable });
    }
    const pictures = this.#picture === undefined ? [] : [this.#picture];
    this.#picture = undefined;
    return { decoded: Atomics.load(this.#decoded, 0), pictures, done: this.#hasEnded };
  }

  #pull(): void {
    if (this.#isPulling) return;
    this.#isPulling = true;
    this.#decode.post({ kind: 'pull' });
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, HEARTBEAT_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #onEvent(event: DecodeEvent): void {
    this.#isPulling = false;
    if (event.kind === 'picture') this.#picture = event.picture;
    else this.#hasEnded = true;
    if (event.kind === 'failure') this.#failure = event.failure;
    this.#wake();
  }
}
