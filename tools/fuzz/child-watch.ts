import { childrenOf, memoryOf } from '../child-processes.ts';

/** The kernel keeps the peak of each child, so polling misses at most its last moments. */
const LOOK_EVERY_MS = 250;

/** Watches the memory of a service's child processes. */
export class ChildWatch implements Disposable {
  readonly #servicePid: number;
  readonly #timer: NodeJS.Timeout;
  readonly #seen = new Set<number>();
  #peakBytes = 0;

  private constructor(servicePid: number) {
    this.#servicePid = servicePid;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  static start(servicePid: number): ChildWatch {
    const watch = new ChildWatch(servicePid);
    watch.look();
    return watch;
  }

  /** Number of different children seen. */
  get children(): number {
    return this.#seen.size;
  }

  /** Peak resident memory of a single child. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  look(): void {
    for (const pid of childrenOf(this.#servicePid)) {
      this.#seen.add(pid);
      this.#peakBytes = Math.max(this.#peakBytes, memoryOf(pid)?.peak ?? 0);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
