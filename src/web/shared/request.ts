import { errorOf } from '../../client/reelstate-error.ts';
import { linkIs } from './link-state.ts';

/** Requests an address of the service. Rejects with an error whose message is for people. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted === true) throw cause;
    linkIs('down');
    throw new Error('The service does not respond', { cause });
  }
  linkIs('up');
  if (!answer.ok) throw await errorOf(answer);
  return answer;
}

/** Like `request`, for JSON of a known shape. */
export async function requestJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  const body: T = await (await request(path, init)).json();
  return body;
}

/** Returns the message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
