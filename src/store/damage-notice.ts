import { ServiceError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { damagedPartIn } from './damage.ts';

/** Damage found while the database is open. Every call is then rejected until the next start. */
export class DamageNotice {
  readonly #log: Log;
  #isFound = false;

  constructor(log: Log) {
    this.#log = log;
  }

  get isFound(): boolean {
    return this.#isFound;
  }

  /** The error of every call after damage was found. Its message is for clients. */
  refusal(cause?: unknown): ServiceError {
    const message = 'The job database is damaged. A restart of the service sets it aside and restores the jobs';
    return new ServiceError('store_unavailable', message, { cause, retryable: true });
  }

  /** If the error reports damage, logs it once and makes the next start repair the database. */
  async take(error: unknown, markForRepair: (reason: string) => Promise<void>): Promise<void> {
    if (this.#isFound || damagedPartIn(error) === undefined) return;
    this.#isFound = true;
    this.#log.fatal({ err: error }, 'the database is damaged: restart the service, which repairs it');
    try {
      await markForRepair(messageOf(error));
    } catch (failure) {
      this.#log.error({ err: failure }, 'the damage could not be noted for the next start');
    }
  }
}
