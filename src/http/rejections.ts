import type { Log } from '../log.ts';

/** Why a connection was rejected or aborted outside a logged request. */
export type Rejection =
  | 'connections'
  | 'connections_of_address'
  | 'malformed_request'
  | 'headers_too_large'
  | 'request_timeout'
  | 'slow_body';

const LOG_EVERY_MS = 60_000;

export interface RejectionsOptions {
  readonly log: Log;
  /** Called for each rejection. */
  readonly count: (reason: Rejection) => void;
  readonly logEveryMs?: number;
}

/**
 * Counts rejections and logs their numbers at most once a minute, so that a flood of connections does not flood the
 * log.
 */
export class Rejections {
  readonly #options: RejectionsOptions;
  #counts = new Map<Rejection, number>();
  #isWaiting = false;

  constructor(options: RejectionsOptions) {
    this.#options = options;
  }

  add(reason: Rejection): void {
    this.#options.count(reason);
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (!this.#isWaiting) this.#flush();
  }

  #flush(): void {
    this.#isWaiting = this.#counts.size > 0;
    if (!this.#isWaiting) return;
    this.#options.log.warn(Object.fromEntries(this.#counts), 'connections rejected');
    this.#counts = new Map();
    setTimeout(() => this.#flush(), this.#options.logEveryMs ?? LOG_EVERY_MS).unref();
  }
}
