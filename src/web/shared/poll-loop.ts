export interface PollLoopOptions {
  /** Sends one request. It must not reject. */
  readonly ask: () => Promise<void>;
  /** Milliseconds between the end of a request and the next one. */
  readonly everyMs: number;
  readonly isHidden: () => boolean;
}

/** Sends requests one after another, and none while the page is hidden. Any number of wake-ups is one loop. */
export class PollLoop {
  readonly #options: PollLoopOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #hasEnded = false;

  constructor(options: PollLoopOptions) {
    this.#options = options;
  }

  /** Sends a request now, unless one is in flight. Call it at the start and when the page is shown or hidden. */
  wake(): void {
    clearTimeout(this.#timer);
    if (!this.#hasEnded && !this.#isAsking && !this.#options.isHidden()) void this.#ask();
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    await this.#options.ask();
    this.#isAsking = false;
    if (!this.#hasEnded) this.#timer = setTimeout(() => this.wake(), this.#options.everyMs);
  }
}
