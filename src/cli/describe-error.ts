import { ReelstateError } from '../client/reelstate-error.ts';
import { messageOf, ServiceError } from '../errors.ts';

/** Returns the message of an error with its hint and retry time, in one line. */
export function describeError(error: unknown): string {
  const hint = error instanceof ReelstateError || error instanceof ServiceError ? error.hint : undefined;
  const retryS = error instanceof ReelstateError ? error.retryAfterS : undefined;
  return [
    messageOf(error),
    ...(hint === undefined ? [] : [hint]),
    ...(retryS === undefined ? [] : [`try again in ${retryS} s`]),
  ].join('. ');
}
