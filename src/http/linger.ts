import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { PieceBudget } from './uploads/piece-budget.ts';

/** Small pieces that may follow a response. The rest of a body usually comes in large ones. */
const LAST_PIECES = 64;

/** Milliseconds for which a rejected client may continue to send, as nginx's `lingering_time`. */
export const LINGER_MS = 30_000;

/**
 * A response body that is sent at once and ends when the client has stopped sending. Closing a connection with unread
 * bytes resets it, and the client would see a broken pipe instead of the response. Received bytes are discarded; a
 * client that does not stop is cut off.
 */
export function lingering(text: string, request: IncomingMessage): Readable {
  return Readable.from(answerThenDrain(text, request), { objectMode: false });
}

async function* answerThenDrain(text: string, request: IncomingMessage): AsyncGenerator<string> {
  yield text;
  const budget = new PieceBudget(LAST_PIECES);
  request.on('data', (piece: Buffer) => {
    if (!budget.take(piece.length)) request.destroy();
  });
  request.resume();
  await finished(request, { signal: AbortSignal.timeout(LINGER_MS) }).catch(() => request.destroy());
}
