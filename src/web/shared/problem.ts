import { errorOf } from '../../client/reelstate-error.ts';

/** Returns the message of an error for people. */
export async function problemOf(answer: Response): Promise<string> {
  const { message } = await errorOf(answer);
  return message;
}
