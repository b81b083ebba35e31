import { pause } from './pause.ts';
import { ReelstateError } from './reelstate-error.ts';

export interface RetryOptions {
  /**
   * How long a service without a response is retried, in milliseconds. One that sends Retry-After is retried for ever.
   */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Called before each wait. */
  readonly onRetry?: (error: ReelstateError) => void;
}

const RETRY_AFTER_MS = 1_000;

/** Repeats `work` while the service is busy, restarting or not ready. Respects `Retry-After`. */
export async function retryTransient<T>(
  work: () => Promise<T>,
  { patienceMs, signal, onRetry }: RetryOptions,
): Promise<T> {
  let silentSinceMs: number | undefined;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ReelstateError) || !error.isTransient) throw error;
      if (error.retryAfterS === undefined) {
        silentSinceMs ??= performance.now();
        if (performance.now() - silentSinceMs > patienceMs) throw error;
      } else silentSinceMs = undefined;
      onRetry?.(error);
      await pause(error.retryAfterS === undefined ? RETRY_AFTER_MS : error.retryAfterS * 1_000, signal);
    }
  }
}
