import { errorOf } from '../client/reelstate-error.ts';

/** What a refusal says, for people. */
export async function problemOf(answer: Response): Promise<string> {
  const { message } = await errorOf(answer);
  return message;
}
