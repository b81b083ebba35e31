import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { PieceBudget } from './uploads/piece-budget.ts';

/** Milliseconds for which a refused client may go on sending, as in nginx's `lingering_time`. */
export const LINGER_MS = 30_000;

/**
 * A response body that is sent at once and ends when the client has stopped sending. Closing a connection with unread
 * bytes resets it, and the client that is still writing sees a broken pipe in place of the answer. What it sends is
 * dropped; one that never stops is cut off.
 */
export function lingering(text: string, request: IncomingMessage): Readable {
  return Readable.from(answerThenDrain(text, request), { objectMode: false });
}

async function* answerThenDrain(text: string, request: IncomingMessage): AsyncGenerator<string> {
  yield text;
  const budget = new PieceBudget();
  request.on('data', (piece: Buffer) => {
    if (!budget.take(piece.length)) request.destroy();
  });
  request.resume();
  await finished(request, { signal: AbortSignal.timeout(LINGER_MS) }).catch(() => request.destroy());
}
