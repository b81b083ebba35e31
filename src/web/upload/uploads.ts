import { ReelstateClient } from '../../client/reelstate-client.ts';
import { ReelstateError } from '../../client/reelstate-error.ts';
import { UploadQueue, type UploadRequest } from './upload-queue.ts';

/** The uploads of this tab: they go on whatever page of the library is shown. */
export const uploads = new UploadQueue({ send, newKey });

async function send({ options, ...request }: UploadRequest): Promise<string> {
  try {
    const { jobId } = await new ReelstateClient({ url: '.' }).submit({ ...request, ...options });
    return jobId;
  } catch (error) {
    if (!(error instanceof ReelstateError) || error.code !== 'unreachable') throw error;
    throw new Error('The connection broke. Try again: the video is not analysed twice.', { cause: error });
  }
}

/** `randomUUID` is there on secure pages alone. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A tab that is closed ends its uploads, so the browser asks before. */
addEventListener('beforeunload', (event) => {
  if (uploads.store.value.items.some(({ state }) => state === 'sending' || state === 'waiting')) event.preventDefault();
});
